# SPDX-License-Identifier: BSD-3-Clause
# Flags that every target of ours takes, and those of trusted code.

add_library(edmm_warnings INTERFACE)
target_compile_options(edmm_warnings INTERFACE
	$<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Werror -Wconversion -Wshadow
	-Wstrict-prototypes -Wmissing-prototypes -Wvla>)
# gcc's sanitizers bring warnings of their own making; the other builds compile
# the same lines without them, and there they are errors.
if(EDMM_SANITIZE)
	target_compile_options(edmm_warnings INTERFACE -Wno-error)
endif()
target_include_directories(edmm_warnings INTERFACE
	${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)

# Freestanding code that links into an enclave. No red zone: a fault handler
# may run on the interrupted stack. No protector: FS is not set up at entry.
add_library(edmm_trusted_flags INTERFACE)
target_link_libraries(edmm_trusted_flags INTERFACE edmm_warnings)
target_compile_options(edmm_trusted_flags INTERFACE
	$<$<COMPILE_LANGUAGE:C>:-ffreestanding -fvisibility=hidden
	-mno-red-zone -fno-stack-protector -fstack-clash-protection -fPIE
	-fcf-protection=none -U_FORTIFY_SOURCE -fno-sanitize=all>)

# edmm_room(NAME FILE...): a static library of host or common code.
function(edmm_room name)
	add_library(${name} STATIC ${ARGN})
	target_link_libraries(${name} PUBLIC edmm_warnings)
	set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# edmm_sources(OUT TARGET...): the C files of rooms, for programs that another
# compiler builds whole.
function(edmm_sources out)
	set(files)
	foreach(target ${ARGN})
		get_target_property(names ${target} SOURCES)
		get_target_property(folder ${target} SOURCE_DIR)
		list(FILTER names INCLUDE REGEX "\\.c$")
		list(TRANSFORM names PREPEND ${folder}/)
		list(APPEND files ${names})
	endforeach()
	set(${out} ${files} PARENT_SCOPE)
endfunction()

# Everything that a run of tools/sanitize needs.
add_custom_target(unit_tests)

# edmm_check_test(NAME FILES... LIBS libs...): a test program on Check.
# edmm_machine_test(...): the same for one that runs on the software machine,
# which no sanitizer can host: tools/sanitize leaves those out.
function(edmm_test_program name label)
	cmake_parse_arguments(T "" "" "LIBS" ${ARGN})
	add_executable(${name} ${T_UNPARSED_ARGUMENTS})
	target_link_libraries(${name} PRIVATE edmm_warnings ${T_LIBS}
		PkgConfig::CHECK)
	add_test(NAME ${name} COMMAND ${name})
	# Check's own 4 seconds are too short on a machine that is busy.
	set_tests_properties(${name} PROPERTIES LABELS ${label}
		ENVIRONMENT CK_DEFAULT_TIMEOUT=200)
endfunction()

function(edmm_check_test name)
	edmm_test_program(${name} unit ${ARGN})
	add_dependencies(unit_tests ${name})
endfunction()

function(edmm_machine_test name)
	edmm_test_program(${name} machine ${ARGN})
endfunction()

# edmm_fuzz_test(NAME SECONDS FILES... SEED files...): a libFuzzer target built by
# clang with sanitizers, whatever the build's own compiler is; ctest runs it
# for a bounded time, from the seed files and from what earlier runs found.
function(edmm_fuzz_test name seconds)
	cmake_parse_arguments(F "" "" "SEED;LIBS" ${ARGN})
	set(exe ${CMAKE_BINARY_DIR}/bin/${name})
	set(corpus ${CMAKE_BINARY_DIR}/fuzz/${name})
	list(TRANSFORM F_UNPARSED_ARGUMENTS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/
		REGEX "^[^/]")
	add_custom_command(OUTPUT ${exe}
		COMMAND clang -fsanitize=fuzzer,address,undefined
			-fno-sanitize-recover=all -O1 -g -D_GNU_SOURCE
			-I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include
			-o ${exe} ${F_UNPARSED_ARGUMENTS} ${F_LIBS}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${corpus}
		COMMAND ${CMAKE_COMMAND} -E copy ${F_SEED} ${corpus}/
		DEPENDS ${F_UNPARSED_ARGUMENTS} ${F_SEED}
		VERBATIM)
	add_custom_target(${name} ALL DEPENDS ${exe})
	add_test(NAME ${name} COMMAND ${exe} -max_total_time=${seconds}
		-rss_limit_mb=2048 -max_len=65536 -timeout=10
		-print_final_stats=0 -verbosity=0
		-artifact_prefix=${corpus}- ${corpus})
endfunction()
