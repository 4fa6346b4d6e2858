# SPDX-License-Identifier: BSD-3-Clause
# edmm_enclave_program(NAME FILE...): a program built by edmm-cc, in
# ${CMAKE_BINARY_DIR}/enclave, rebuilt when compiler, C library or runtime
# change. OPTIONS go to the compiler.
function(edmm_enclave_program name)
	cmake_parse_arguments(E "" "" "OPTIONS" ${ARGN})
	set(out ${CMAKE_BINARY_DIR}/enclave/${name})
	list(TRANSFORM E_UNPARSED_ARGUMENTS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/
		REGEX "^[^/]")
	add_custom_command(OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -E make_directory
			${CMAKE_BINARY_DIR}/enclave
		COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0
			$<TARGET_FILE:edmm-cc> -O2 -g ${E_OPTIONS} -o ${out}
			${E_UNPARSED_ARGUMENTS}
		DEPENDS edmm-cc edmm_musl edmm_mimalloc
			edmm_runtime edmm_report_library
			${EDMM_PARTS}/libedmm-report.a ${E_UNPARSED_ARGUMENTS}
			${EDMM_PARTS}/edmm-rt.o
			${EDMM_PARTS}/musl/stamp ${EDMM_PARTS}/mimalloc/stamp
			${EDMM_PARTS}/edmm-cc.specs
		VERBATIM)
	add_custom_target(enclave_${name} ALL DEPENDS ${out})
endfunction()
