/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TOML: the one C++ file, a shim over toml++ that builds our tree. toml++
 * bounds nesting and refuses duplicates; the number of lines and values is
 * bounded here before it runs.
 */
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 1
#define TOML_ENABLE_SIMD 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include <cstring>
#include <new>
#include <sstream>
#include <string>

#include "policy/toml.h"

namespace
{
pol_span span_of(const pol_doc *doc, const toml::source_region &r)
{
	size_t begin = pol_offset(doc, r.begin.line, r.begin.column);
	size_t end = pol_offset(doc, r.end.line, r.end.column);

	if (end < begin)
		end = begin;
	return { (uint32_t)begin, (uint32_t)(end - begin) };
}

const char *copy(pol_doc *doc, const std::string &s)
{
	return pol_strndup(doc, s.data(), s.size());
}

template <typename T> std::string text_of(const T &v)
{
	std::ostringstream out;

	out << v;
	return out.str();
}

bool convert(pol_doc *doc, pol_node *parent, const char *key,
	     const toml::node &v, const toml::source_region *key_at);

bool members(pol_doc *doc, pol_node *n, const toml::table &t)
{
	for (auto &&[k, v] : t) {
		std::string name(k.str());

		if (!convert(doc, n, name.c_str(), v, &k.source()))
			return false;
	}
	return true;
}

pol_kind kind_of(const toml::node &v)
{
	switch (v.type()) {
	case toml::node_type::table:
		return POL_OBJECT;
	case toml::node_type::array:
		return POL_ARRAY;
	case toml::node_type::string:
		return POL_STRING;
	case toml::node_type::integer:
		return POL_INT;
	case toml::node_type::floating_point:
		return POL_REAL;
	case toml::node_type::boolean:
		return POL_BOOL;
	default:
		return POL_TIME;
	}
}

void scalar(pol_doc *doc, pol_node *n, const toml::node &v)
{
	if (auto s = v.as_string())
		n->str = copy(doc, s->get());
	else if (auto i = v.as_integer())
		n->num = i->get();
	else if (auto b = v.as_boolean())
		n->num = b->get();
	else if (auto d = v.as_floating_point())
		n->str = copy(doc, text_of(*d));
	else if (auto date = v.as_date())
		n->str = copy(doc, text_of(*date));
	else if (auto time = v.as_time())
		n->str = copy(doc, text_of(*time));
	else if (auto both = v.as_date_time())
		n->str = copy(doc, text_of(*both));
}

bool convert(pol_doc *doc, pol_node *parent, const char *key,
	     const toml::node &v, const toml::source_region *key_at)
{
	pol_node *n = pol_node_new(doc, parent, kind_of(v), key);

	if (n == nullptr)
		return false;
	n->at = span_of(doc, v.source());
	if (key_at != nullptr)
		n->key_at = span_of(doc, *key_at);
	if (auto t = v.as_table())
		return members(doc, n, *t);
	if (auto a = v.as_array()) {
		for (auto &&e : *a)
			if (!convert(doc, n, nullptr, e, nullptr))
				return false;
		return true;
	}
	scalar(doc, n, v);
	return !doc->oom;
}
} // namespace

extern "C" int pol_toml_tree(pol_doc *doc, uint32_t *line, uint32_t *col,
			     char *what, size_t size)
try {
	auto result = toml::parse(std::string_view(doc->text, doc->size));

	if (!result) {
		const toml::parse_error &e = result.error();
		std::string text(e.description());

		*line = e.source().begin.line;
		*col = e.source().begin.column;
		for (char &c : text)
			if (c == '\n')
				c = ' ';
		std::strncpy(what, text.c_str(), size - 1);
		what[size - 1] = '\0';
		return 1;
	}
	if (!convert(doc, nullptr, nullptr, result.table(), nullptr))
		return -1;
	pol_sort(doc->root);
	return 0;
} catch (const std::bad_alloc &) {
	return -1;
}
