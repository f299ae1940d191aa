/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Data, and text made from it.  A command's result is a JSON object; what a person reads is rendered from that
 * same object, so the two cannot disagree.  Addresses and register values are strings "0x...", as JSON's numbers
 * lose 64-bit ones; counts, numbers of things and sizes are JSON integers.
 */
#ifndef GV_MONITOR_RENDER_H
#define GV_MONITOR_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/machine.h"
#include "api/out.h"

/* "0x..." */
json_t *data_hex(uint64_t v);
/* Any bytes as a JSON string; what is not UTF-8 becomes escapes. */
json_t *data_text(const char *s, size_t len);
/* The name of the symbol that covers ADDR with the offset in it, "main+4"; JSON null when there is none. */
json_t *data_symbol(struct machine *m, uint64_t addr);
/* {"address": ..., "symbol": ...} */
json_t *data_place(struct machine *m, uint64_t addr);
/* The same of code, with "file" and "line" where the source is known. */
json_t *data_code(struct machine *m, uint64_t addr);
/* Adds these two to OBJ. */
void data_add_line(json_t *obj, struct machine *m, uint64_t addr);

/* Members of an object; a missing one gives "", 0 or false. */
const char *data_str(const json_t *obj, const char *key);
uint64_t data_u64(const json_t *obj, const char *key);          /* an integer or a "0x..." string */
bool data_true(const json_t *obj, const char *key);

/*
 * "0x7c05 <start+5>" of an object with "address" and "symbol"; and with " init/main.c:12", the end of its "file" and
 * its "line".
 */
void render_address(const json_t *obj, struct out *o);
void render_place(const json_t *obj, struct out *o);
/* "init/main.c:12", or nothing. */
void render_line(const json_t *obj, struct out *o);

/* A number of bytes with the largest suffix that loses nothing: "128M". */
void render_size(uint64_t size, struct out *o);

/* Writes V as one line of JSON, newline included. */
void render_json(const json_t *v, struct out *o);

/* TEXT with a ? for each control character but tabs, as a guest may have had a hand in it. */
void render_clean(const char *text, struct out *o);

/* Whether a reader at a TERMINAL can be shown colours, and wants them: by the environment's TERM and NO_COLOR. */
bool render_in_colour(bool terminal);

/* The member "text" as it stands, with a newline: for commands whose result is a sentence. */
void render_text(const json_t *data, struct out *o);

#endif
