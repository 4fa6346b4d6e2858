/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The picture: phases as bands with their names above, committed memory as an
 * area with its idle part marked, the EPC as a line, and a table of phases
 * below, because names are often wider than their bands.
 */
#include "cli/run/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define WIDTH 960
#define LEFT 84
#define RIGHT 24
#define TOP 92
#define PLOT_HEIGHT 320
#define ROW 18
#define COLUMNS 2
#define CHAR_WIDTH 6.2 /* of the 11-pixel sans-serif used for labels */

#define INK "#1f2430"
#define FAINT "#6b7280"
#define GRID "#e3e6ea"
#define BLUE "#2f6fb7"
#define BLUE_FILL "#a9c9ea"
#define IDLE_FILL "#f3d9a4"
#define ORANGE "#d1602b"

struct frame {
	FILE *f;
	const struct chart *c;
	double seconds; /* right edge */
	double mib;	/* top edge */
	double step_s;	/* between ticks */
	double step_mib;
	double width;
};

static double x_of(const struct frame *k, double s)
{
	return LEFT + s / k->seconds * k->width;
}

static double y_of(const struct frame *k, double mib)
{
	return TOP + PLOT_HEIGHT * (1 - mib / k->mib);
}

/* XML text from bytes of anyone's: what is not plain becomes a point. */
static void put_text(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else
			fputc(*s < ' ' || *s > '~' ? '.' : *s, f);
	}
}

static void label(const struct frame *k, double x, double y,
		  const char *attributes, const char *text)
{
	fprintf(k->f, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	put_text(k->f, text);
	fputs("</text>\n", k->f);
}

/* The step of 1, 2 or 5 times a power of ten that gives about n ticks. */
static double nice_step(double range, double n)
{
	double raw = range / n;
	double power = pow(10, floor(log10(raw)));
	double m = raw / power;

	return power * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
}

/* MiB go in powers of two: 64, 128, 256 are what people expect to read. */
static double binary_step(double range, double n)
{
	return exp2(ceil(log2(range / n)));
}

static void set_scale(struct frame *k)
{
	const struct chart *c = k->c;
	uint64_t top = 1 << 20, end = 1000000;
	size_t i;

	for (i = 0; i < c->sample_count; i++) {
		const struct chart_sample *s = &c->sample[i];

		top = s->committed > top ? s->committed : top;
		top = s->epc > top ? s->epc : top;
		end = s->at_ns > end ? s->at_ns : end;
	}
	k->seconds = (double)end / 1e9;
	k->step_s = nice_step(k->seconds, 9);
	k->step_mib = binary_step((double)top / 1048576, 7);
	k->mib = ceil((double)top / 1048576 / k->step_mib + 0.02) * k->step_mib;
	k->width = WIDTH - LEFT - RIGHT;
}

static unsigned table_rows(unsigned phase_count)
{
	return (phase_count + COLUMNS - 1) / COLUMNS;
}

static void open_svg(const struct frame *k, unsigned phase_count)
{
	unsigned height =
		TOP + PLOT_HEIGHT + 76 + table_rows(phase_count) * ROW;

	fprintf(k->f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%u\" viewBox=\"0 0 %d %u\" font-family=\""
		"DejaVu Sans, Helvetica, Arial, sans-serif\" "
		"font-size=\"11\" fill=\"" INK "\">\n"
		"<rect width=\"%d\" height=\"%u\" fill=\"#ffffff\"/>\n",
		WIDTH, height, WIDTH, height, WIDTH, height);
}

static void draw_legend(const struct frame *k)
{
	double x = LEFT, y = 50;

	fputs("<text x=\"84\" y=\"28\" font-size=\"15\" font-weight=\"bold\">"
	      "Enclave memory over time: ",
	      k->f);
	put_text(k->f, k->c->title);
	fputs("</text>\n", k->f);
	fprintf(k->f,
		"<rect x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"10\" "
		"fill=\"" BLUE_FILL "\" stroke=\"" BLUE "\"/>\n",
		x, y - 9);
	label(k, x + 20, y, "", "committed: heap, stack and metadata");
	fprintf(k->f,
		"<rect x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"10\" "
		"fill=\"" IDLE_FILL "\"/>\n",
		x + 250, y - 9);
	label(k, x + 270, y, "", "of it idle: freed, kept for reuse");
	if (!k->c->has_epc)
		return;
	fprintf(k->f,
		"<path d=\"M%.0f %.0fh14\" stroke=\"" ORANGE
		"\" stroke-width=\"2\"/>\n",
		x + 490, y - 4);
	label(k, x + 510, y, "", "machine: EPC in use, image included");
}

static void draw_axes(const struct frame *k)
{
	char text[32];
	double v;

	for (v = 0; v <= k->mib * 1.0001; v += k->step_mib) {
		fprintf(k->f,
			"<path d=\"M%d %.1fh%.0f\" stroke=\"" GRID "\"/>\n",
			LEFT, y_of(k, v), k->width);
		snprintf(text, sizeof(text), "%g", v);
		label(k, LEFT - 8, y_of(k, v) + 4, "text-anchor=\"end\"", text);
	}
	for (v = 0; v <= k->seconds * 1.0001; v += k->step_s) {
		fprintf(k->f, "<path d=\"M%.1f %dv5\" stroke=\"" INK "\"/>\n",
			x_of(k, v), TOP + PLOT_HEIGHT);
		snprintf(text, sizeof(text), "%g", v);
		label(k, x_of(k, v), TOP + PLOT_HEIGHT + 18,
		      "text-anchor=\"middle\"", text);
	}
	fprintf(k->f,
		"<path d=\"M%d %dv%dh%.0f\" fill=\"none\" stroke=\"" INK
		"\"/>\n",
		LEFT, TOP, PLOT_HEIGHT, k->width);
	label(k, LEFT + k->width / 2, TOP + PLOT_HEIGHT + 38,
	      "text-anchor=\"middle\"", "time since the device was opened (s)");
	fprintf(k->f,
		"<text transform=\"translate(24 %d) rotate(-90)\" "
		"text-anchor=\"middle\">memory (MiB)</text>\n",
		TOP + PLOT_HEIGHT / 2);
}

/* ---- series ------------------------------------------------------------ */

enum series {
	COMMITTED,
	IDLE,
	EPC
};

static double value(const struct chart_sample *s, enum series which)
{
	uint64_t n = which == COMMITTED ? s->committed
		     : which == IDLE	? s->idle
					: s->epc;

	return (double)n / 1048576;
}

/*
 * The points of a series, one for a pixel column: the highest, so that no
 * peak is lost. The last sample always has its own.
 */
static void put_points(const struct frame *k, enum series which)
{
	const struct chart *c = k->c;
	size_t i = 0;

	while (i < c->sample_count) {
		double column =
			floor(x_of(k, (double)c->sample[i].at_ns / 1e9));
		double best = 0;

		for (; i < c->sample_count; i++) {
			const struct chart_sample *s = &c->sample[i];

			if (floor(x_of(k, (double)s->at_ns / 1e9)) != column)
				break;
			best = fmax(best, value(s, which));
		}
		fprintf(k->f, "L%.0f %.1f", column, y_of(k, best));
	}
	if (c->sample_count)
		fprintf(k->f, "L%.1f %.1f", LEFT + k->width,
			y_of(k, value(&c->sample[c->sample_count - 1], which)));
}

static void draw_area(const struct frame *k, enum series which,
		      const char *attributes)
{
	fprintf(k->f, "<path d=\"M%d %d", LEFT, TOP + PLOT_HEIGHT);
	put_points(k, which);
	fprintf(k->f, "L%.1f %dZ\" %s/>\n", LEFT + k->width, TOP + PLOT_HEIGHT,
		attributes);
}

static void draw_series(const struct frame *k)
{
	draw_area(k, COMMITTED, "fill=\"" BLUE_FILL "\" stroke=\"" BLUE "\"");
	draw_area(k, IDLE, "fill=\"" IDLE_FILL "\"");
	if (!k->c->has_epc)
		return;
	fprintf(k->f, "<path d=\"M%d %d", LEFT, TOP + PLOT_HEIGHT);
	put_points(k, EPC);
	fputs("\" fill=\"none\" stroke=\"" ORANGE "\" stroke-width=\"1.6\"/>\n",
	      k->f);
}

/* ---- phases ------------------------------------------------------------ */

struct phase {
	double from;
	double to;
	const char *text;
};

/* Start-up, main up to the first mark, then the marks. */
static unsigned phases(const struct frame *k, struct phase *p)
{
	const struct chart *c = k->c;
	unsigned n = 0;
	size_t i;

	p[n++] = (struct phase){ .from = 0, .text = "start-up" };
	if (c->main_ns &&
	    (!c->mark_count || c->mark[0].at_ns > c->main_ns + 20000000))
		p[n++] = (struct phase){ .from = (double)c->main_ns / 1e9,
					 .text = "main" };
	for (i = 0; i < c->mark_count; i++)
		p[n++] = (struct phase){ .from = (double)c->mark[i].at_ns / 1e9,
					 .text = c->mark[i].text };
	for (i = 0; i < n; i++)
		p[i].to = i + 1 < n ? p[i + 1].from : k->seconds;
	return n;
}

static void draw_bands(const struct frame *k, const struct phase *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		fprintf(k->f,
			"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
			"height=\"%d\" fill=\"%s\"/>\n",
			x_of(k, p[i].from), TOP - 22,
			x_of(k, p[i].to) - x_of(k, p[i].from), PLOT_HEIGHT + 22,
			i % 2 ? "#f0f2f5" : "#fafbfc");
}

/* A band has room for name and number, for the number, or for nothing. */
static void name_bands(const struct frame *k, const struct phase *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		double x = x_of(k, p[i].from);
		double room = x_of(k, p[i].to) - x;
		char text[128];

		if (i)
			fprintf(k->f,
				"<path d=\"M%.1f %dv%d\" stroke=\"" FAINT
				"\" stroke-dasharray=\"3 3\"/>\n",
				x, TOP - 22, PLOT_HEIGHT + 22);
		snprintf(text, sizeof(text), "%u %s", i + 1, p[i].text);
		if ((double)strlen(text) * CHAR_WIDTH + 8 > room)
			snprintf(text, sizeof(text), "%u", i + 1);
		if ((double)strlen(text) * CHAR_WIDTH + 4 > room)
			continue;
		label(k, x + 4, TOP - 8, "", text);
	}
}

static void draw_table(const struct frame *k, const struct phase *p, unsigned n)
{
	unsigned rows = table_rows(n), i;

	for (i = 0; i < n; i++) {
		unsigned column = i / rows;
		double x = LEFT + column * (k->width / COLUMNS);
		double y = TOP + PLOT_HEIGHT + 64 + (i % rows) * ROW;
		char text[160];

		snprintf(text, sizeof(text), "%u  %.3f s  %.48s", i + 1,
			 p[i].from, p[i].text);
		label(k, x, y, "fill=\"" FAINT "\"", text);
	}
}

static void draw(struct frame *k)
{
	struct phase p[CHART_MARKS + 2];
	unsigned n;

	set_scale(k);
	n = phases(k, p);
	open_svg(k, n);
	draw_bands(k, p, n);
	draw_legend(k);
	draw_axes(k);
	draw_series(k);
	name_bands(k, p, n);
	draw_table(k, p, n);
	fputs("</svg>\n", k->f);
}

bool chart_write(const struct chart *c, const char *path)
{
	struct frame k = { .c = c };
	char *text = NULL;
	size_t size = 0;
	bool ok = false;

	k.f = open_memstream(&text, &size);
	if (k.f) {
		draw(&k);
		ok = !fclose(k.f);
	}
	if (!ok)
		cli_error("%s: out of memory", path);
	ok = ok && cli_write_file(path, text, size);
	free(text);
	return ok;
}
