# SPDX-License-Identifier: BSD-3-Clause
# What `make install` lays out below a prefix (docs/install.md). Nothing here
# knows the prefix: the programs find their parts from where they are, and the
# packages theirs from where their files are, so that the tree can be moved.
include(CMakePackageConfigHelpers)

# edmm_public_library(FILE TARGET SYMBOL...): the target as one object in an
# archive that gives the symbols, wildcards allowed, and no inner name.
function(edmm_public_library file target)
	set(out ${CMAKE_BINARY_DIR}/lib/${file})
	set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
	list(TRANSFORM ARGN PREPEND --keep-global-symbol=)
	add_custom_command(OUTPUT ${out}
		COMMAND ld -r -o ${object} --whole-archive
			$<TARGET_FILE:${target}>
		COMMAND objcopy --wildcard ${ARGN} ${object}
		COMMAND ${CMAKE_COMMAND} -E rm -f ${out}
		COMMAND ${CMAKE_AR} rcs ${out} ${object}
		DEPENDS ${target} VERBATIM)
	add_custom_target(${target}_public ALL DEPENDS ${out})
	add_dependencies(installed ${target}_public)
	install(FILES ${out} DESTINATION lib)
endfunction()

# All that is installed and nothing else, for who does not want the tests.
add_custom_target(installed)
add_dependencies(installed edmm edmm-cc edmm-machine edmm-launch edmm_musl
	edmm_mimalloc edmm_runtime edmm_report_library sgx_mm completion manual)

install(TARGETS edmm edmm-cc RUNTIME DESTINATION bin)
install(TARGETS edmm-machine LIBRARY DESTINATION lib/edmm)
install(TARGETS edmm-launch RUNTIME DESTINATION lib/edmm)
install(DIRECTORY ${EDMM_PARTS}/musl ${EDMM_PARTS}/mimalloc
	${EDMM_PARTS}/include DESTINATION lib/edmm PATTERN stamp EXCLUDE
	PATTERN COPYRIGHT EXCLUDE)
install(FILES
	${EDMM_PARTS}/edmm-cc.specs
	${EDMM_PARTS}/edmm-rt.o
	${EDMM_PARTS}/libedmm-report.a
	DESTINATION lib/edmm)

# What public functions call first is not for others.
edmm_public_library(libedmm-emm.a edmm_emm emm_* !emm_probe_stack)
edmm_public_library(libedmm-host.a edmm_host edmm_*)
edmm_public_library(libedmm-image.a edmm_image edmm_*)
edmm_public_library(libedmm-model.a edmm_model edmm_*)
# C++ inside: its weak names must stay what they are.
edmm_public_library(libedmm-policy.a edmm_policy edmm_* _Z* DW.*)
install(FILES ${CMAKE_BINARY_DIR}/lib/libsgx_mm.a DESTINATION lib)
# What gdb would read names the folder of the build.
install(CODE [[
	foreach(f libsgx_mm.a libedmm-emm.a libedmm-host.a libedmm-image.a
			libedmm-model.a libedmm-policy.a edmm/edmm-rt.o
			edmm/libedmm-report.a)
		execute_process(COMMAND strip --strip-debug
			"$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/${f}"
			COMMAND_ERROR_IS_FATAL ANY)
	endforeach()]])

install(DIRECTORY
	${PROJECT_SOURCE_DIR}/include/compat
	${PROJECT_SOURCE_DIR}/include/edmm
	${PROJECT_SOURCE_DIR}/include/sgx
	DESTINATION include FILES_MATCHING PATTERN *.h)

foreach(pc edmm edmm-host sgx-mm)
	configure_file(cmake/${pc}.pc.in ${CMAKE_BINARY_DIR}/share/${pc}.pc
		@ONLY)
	install(FILES ${CMAKE_BINARY_DIR}/share/${pc}.pc
		DESTINATION lib/pkgconfig)
endforeach()
configure_file(cmake/edmm-config.cmake.in
	${CMAKE_BINARY_DIR}/share/edmm-config.cmake @ONLY)
write_basic_package_version_file(
	${CMAKE_BINARY_DIR}/share/edmm-config-version.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES
	${CMAKE_BINARY_DIR}/share/edmm-config.cmake
	${CMAKE_BINARY_DIR}/share/edmm-config-version.cmake
	DESTINATION lib/cmake/edmm)

install(FILES ${CMAKE_BINARY_DIR}/share/bash-completion/completions/edmm
	DESTINATION share/bash-completion/completions)
get_property(pages GLOBAL PROPERTY EDMM_PAGES)
foreach(page ${pages})
	string(REGEX REPLACE "^.*\\." "" section ${page})
	install(FILES ${page} DESTINATION share/man/man${section})
endforeach()

# Ours, and of what is linked into an image or a library.
install(FILES LICENSE CHANGELOG.md DESTINATION share/doc/edmm)
foreach(part musl mimalloc)
	install(FILES ${EDMM_PARTS}/${part}/COPYRIGHT
		DESTINATION share/doc/edmm RENAME COPYRIGHT.${part})
endforeach()
install(FILES /usr/share/doc/libipsec-mb-dev/copyright
	DESTINATION share/doc/edmm RENAME COPYRIGHT.intel-ipsec-mb OPTIONAL)
