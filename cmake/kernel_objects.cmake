# One object library per kernel set, each with the flags of its instruction set.
#
# A set is a name, a file cpp/kernels/<name>.cpp and flags; which sets exist depends on the target processor alone. A new
# architecture is another branch here, another list in dispatch.cpp and the files of its sets.
function(add_kernel_set name)
  set(target ganglion_kernels_${name})
  add_library(${target} OBJECT kernels/${name}.cpp)
  target_include_directories(${target} PRIVATE include)
  target_link_libraries(${target} PRIVATE ganglion_options)
  # No errno: a square root is one instruction and no library call. No link-time optimization, which would put code for
  # a newer processor where an older one runs it. No second version of every tile's loop for operands without gaps: it
  # is no faster.
  target_compile_options(${target} PRIVATE -O3 -fno-exceptions -fno-rtti -fno-math-errno ${ARGN}
                         $<$<CXX_COMPILER_ID:GNU>:-fno-version-loops-for-strides>)
  set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  target_sources(ganglion_core PRIVATE $<TARGET_OBJECTS:${target}>)
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  add_kernel_set(scalar -march=x86-64)
  add_kernel_set(sse2 -march=x86-64)
  add_kernel_set(avx2 -march=x86-64-v3 -mprfchw)
  add_kernel_set(avx512 -march=x86-64-v4 -mprfchw -mprefer-vector-width=512)
else()
  add_kernel_set(scalar)
endif()
