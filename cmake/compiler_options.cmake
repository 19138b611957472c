# What every C++ file of the project is compiled with, as one interface target.
#
# -ffp-contract=off: a·b + c is two roundings unless the source says fma, on every compiler and instruction set.
# Never -ffast-math nor -Ofast: on the link line they make the whole Python process flush denormals to zero.
add_library(ganglion_options INTERFACE)
target_compile_options(
  ganglion_options
  INTERFACE -ffp-contract=off
            -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wsign-conversion
            -Wshadow
            $<$<BOOL:${GANGLION_WERROR}>:-Werror>)

# GCC's OpenMP library is opaque to the thread sanitizer, which therefore reports every border of a parallel region; what
# it says about two places inside one region is to be believed.
if(GANGLION_SANITIZE)
  target_compile_options(
    ganglion_options INTERFACE -fsanitize=${GANGLION_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(ganglion_options INTERFACE -fsanitize=${GANGLION_SANITIZE})
endif()
