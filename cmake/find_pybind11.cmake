# pybind11: scikit-build-core puts it on CMake's path; a plain CMake build asks the Python interpreter where it is.
set(PYBIND11_FINDPYTHON ON)
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
if(NOT SKBUILD AND NOT pybind11_ROOT AND NOT pybind11_DIR)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
    OUTPUT_VARIABLE pybind11_ROOT
    OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
find_package(pybind11 3.0 CONFIG REQUIRED)
