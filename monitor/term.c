/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <readline/readline.h>

#include "monitor/complete.h"
#include "monitor/core.h"
#include "monitor/filter.h"
#include "monitor/history.h"
#include "monitor/notice.h"
#include "util/rawtty.h"

#define PROMPT "(gv) "
#define CONSOLE_END 0x1d        /* Ctrl-] */
#define REST_MS 50              /* for the other bytes of one character */

struct term {
	struct monitor *mon;
	struct session session;
	struct task *task;              /* the command that runs; the prompt comes back after it */
	struct task *console;           /* the keyboard is the guest's until this one ends */
	bool prompt;                    /* readline is at work */
	bool in_handler;
	bool has_key;
	int key;                        /* that, or EOF or READERR: what readline reads next */

	struct filter filter;
	bool open_line;                 /* the guest's last line has no end yet */
	char open_text[256];            /* that line, to go on with it above the prompt */
	size_t open_len;                /* sizeof(open_text) when it does not fit */

	uv_poll_t input;
	uv_signal_t interrupt, resize;
	unsigned handles;
};

static struct term *the_term;

static void on_line(char *line);
static void on_input(uv_poll_t *p, int status, int events);

/* -- what is on the screen -- */

static void put(const char *text, size_t len)
{
	sharedout_write_fd(STDOUT_FILENO, text, len);
}

static void show_prompt(struct term *t)
{
	/* The guest's open line stays above; what follows it is joined to it there. */
	if (t->open_line)
		put("\n", 1);
	t->prompt = true;
	rl_callback_handler_install(PROMPT, on_line);
	uv_poll_start(&t->input, UV_READABLE, on_input);
}

/* Readline lets go of the terminal, which is as it was before it. */
static void hide_prompt(struct term *t)
{
	if (t->prompt)
		rl_callback_handler_remove();
	t->prompt = false;
	uv_poll_stop(&t->input);
}

static void begin_above(struct term *t)
{
	if (!t->prompt)
		return;
	rl_clear_visible_line();
	fflush(rl_outstream);
}

static void end_above(struct term *t)
{
	if (!t->prompt)
		return;
	rl_on_new_line();
	rl_redisplay();
}

void term_text(struct term *t, const char *text, size_t len)
{
	begin_above(t);
	if (t->open_line && !t->prompt)
		put("\n", 1);
	t->open_line = false;
	t->open_len = 0;
	put(text, len);
	end_above(t);
}

/* Whether the open line stands in one row right above the prompt, and the terminal can go up to it. */
static bool can_join(const struct term *t)
{
	const char *kind = getenv("TERM");
	size_t width = 0;
	int rows, columns;

	rl_get_screen_size(&rows, &columns);
	for (size_t i = 0; i < t->open_len; i++)
		width += t->open_text[i] == '\t' ? 8 : 1;
	return t->open_line && t->open_len < sizeof(t->open_text) && (int)width < columns && kind &&
	       strcmp(kind, "dumb");
}

static void remember_open(struct term *t, const char *text, size_t len)
{
	const char *end = memrchr(text, '\n', len);
	size_t n = len;

	if (end) {
		n = (size_t)(text + len - end) - 1;
		t->open_len = 0;
	}
	t->open_line = n || (!end && t->open_line);
	if (t->open_len + n > sizeof(t->open_text))
		n = sizeof(t->open_text) - t->open_len;
	memcpy(t->open_text + t->open_len, text + len - n, n);
	t->open_len += n;
}

static void serial_above(struct term *t, const char *text, size_t len)
{
	begin_above(t);
	if (t->prompt && can_join(t)) {
		put("\033[A\r\033[K", 7);
		put(t->open_text, t->open_len);
	} else if (t->prompt) {
		t->open_line = false;
		t->open_len = 0;
	}
	put(text, len);
	remember_open(t, text, len);
	if (t->prompt && t->open_line)
		put("\n", 1);
	end_above(t);
}

void term_serial(struct term *t, const uint8_t *data, size_t len)
{
	struct out_buf text;

	if (t->console) {
		put((const char *)data, len);
		t->open_line = data[len - 1] != '\n';
		t->open_len = sizeof(t->open_text);
		return;
	}
	out_buf_init(&text);
	filter_write(&t->filter, data, len, &text.out);
	if (text.len)
		serial_above(t, text.text, text.len);
	out_buf_done(&text);
}

/* -- lines -- */

static void on_done(void *arg, struct task *task)
{
	struct term *t = arg;

	(void)task;
	t->task = NULL;
	if (t == the_term && !t->in_handler && !t->mon->quit)
		show_prompt(t);
}

static void on_line(char *line)
{
	struct term *t = the_term;

	hide_prompt(t);
	t->open_line = false;
	t->open_len = 0;
	if (!line) {
		put("\n", 1);
		monitor_quit(t->mon);
		return;
	}
	history_keep(line);
	t->in_handler = true;
	t->task = task_run_typed(&t->session, line, strlen(line), on_done, t);
	t->in_handler = false;
	free(line);
	if (!t->task && !t->mon->quit)
		show_prompt(t);
}

static void console_input(struct term *t)
{
	char keys[256], *end;
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	size_t len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	end = n > 0 ? memchr(keys, CONSOLE_END, (size_t)n) : keys;
	len = end ? (size_t)(end - keys) : (size_t)n;
	if (len && machine_serial_send(t->mon->m, (const uint8_t *)keys, len, NULL))
		put("\a", 1);
	if (!end)
		return;
	rawtty_restore();
	uv_poll_stop(&t->input);
	task_finish(t->console, 0);
	t->console = NULL;
	if (n <= 0)
		monitor_quit(t->mon);
}

/* A byte that comes within TIMEOUT ms, or EOF or READERR in *RET; false: none has come. */
static bool read_key(int timeout, int *ret)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char key;
	ssize_t n;

	if (poll(&p, 1, timeout) <= 0)
		return false;
	n = read(STDIN_FILENO, &key, 1);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	*ret = n > 0 ? key : n ? READERR : EOF;
	return true;
}

/* Readline's own would wait for as long as it takes, and everything here with it.  A NUL is a key that does nothing. */
static int next_key(FILE *stream)
{
	struct term *t = the_term;
	int key;

	(void)stream;
	if (t->has_key) {
		t->has_key = false;
		return t->key;
	}
	return read_key(REST_MS, &key) ? key : 0;
}

/* What there was to read may be gone: a Ctrl-C and a Ctrl-Z take with them what was typed before. */
static void on_input(uv_poll_t *p, int status, int events)
{
	struct term *t = p->data;

	(void)status;
	(void)events;
	if (t->console) {
		console_input(t);
	} else if (t->prompt && read_key(0, &t->key)) {
		t->has_key = true;
		rl_callback_read_char();
		t->has_key = false;
	}
}

bool term_raw(const struct term *t)
{
	return t->console;
}

int term_console(struct term *t, struct task *task, struct err *err)
{
	static const char hint[] = "The keyboard is the guest's; Ctrl-] takes it back.\n";
	int r = rawtty_enter(STDIN_FILENO, err);

	if (r)
		return r;
	term_text(t, hint, strlen(hint));
	t->console = task;
	uv_poll_start(&t->input, UV_READABLE, on_input);
	return 0;
}

/* -- signals -- */

static void abandon_line(struct term *t)
{
	if (!t->prompt)
		return;
	rl_callback_sigcleanup();
	rl_point = rl_end;
	rl_redisplay();
	put("^C\n", 3);
	rl_replace_line("", 1);
	rl_on_new_line();
	rl_redisplay();
}

static void on_interrupt(uv_signal_t *s, int signum)
{
	struct term *t = s->data;
	bool running = machine_state(t->mon->m) == MACHINE_RUNNING;

	(void)signum;
	if (running)
		machine_stop(t->mon->m);
	if (t->task)
		task_interrupt(t->task);
	else if (!running)
		abandon_line(t);
}

static void on_resize(uv_signal_t *s, int signum)
{
	(void)s;
	(void)signum;
	rl_resize_terminal();
}

void term_let_go(struct term *t)
{
	if (!t->prompt)
		return;
	rl_deprep_terminal();
	put("\n", 1);
}

void term_take_up(struct term *t)
{
	const char *meta = rl_variable_value("input-meta");

	if (!t->prompt)
		return;
	rl_deprep_terminal();
	rl_prep_terminal(meta && !strcmp(meta, "on"));
	rl_resize_terminal();
	rl_clear_visible_line();
	end_above(t);
}

/* -- completion -- */

static char **names;

static char *next_name(const char *text, int state)
{
	static size_t at;

	(void)text;
	if (!state)
		at = 0;
	return names && names[at] ? strdup(names[at++]) : NULL;
}

static char **on_complete(const char *text, int start, int end)
{
	char **matches;
	bool file;

	(void)end;
	names = complete_line(the_term->mon->m, rl_line_buffer, (size_t)start, text, &file);
	rl_attempted_completion_over = !file;
	matches = names ? rl_completion_matches(text, next_name) : NULL;
	complete_free(names);
	names = NULL;
	return matches;
}

/* -- making and freeing -- */

/* A path is one word, an expression is several. */
static char *word_breaks(void)
{
	static char spaces[] = " \t", all[] = COMPLETE_BREAKS;

	return complete_is_file(rl_line_buffer, (size_t)rl_point) ? spaces : all;
}

static void set_up_readline(void)
{
	rl_readline_name = "gdbvisor";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_getc_function = next_key;
	rl_attempted_completion_function = on_complete;
	rl_completion_word_break_hook = word_breaks;
	/* Several pasted lines are several commands. */
	rl_variable_bind("enable-bracketed-paste", "off");
}

static void greet(struct term *t)
{
	json_t *stop;

	if (machine_state(t->mon->m) == MACHINE_RUNNING || t->mon->json)
		return;
	stop = notice_stop(t->mon, machine_last_stop(t->mon->m));
	notice_render(stop, &t->mon->shared.out);
	json_decref(stop);
}

int term_new(struct monitor *mon, struct err *err)
{
	struct term *t;
	int r;

	if (the_term)
		return err_set(err, EBUSY, "this process has its terminal monitor already");
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(err, ENOMEM, "out of memory");
	t->mon = mon;
	r = uv_poll_init(mon->loop, &t->input, STDIN_FILENO);
	if (r) {
		free(t);
		return err_errno(err, -r, "standard input");
	}
	uv_signal_init(mon->loop, &t->interrupt);
	uv_signal_init(mon->loop, &t->resize);
	t->input.data = t->interrupt.data = t->resize.data = t;
	t->handles = 3;
	uv_signal_start(&t->interrupt, on_interrupt, SIGINT);
	uv_signal_start(&t->resize, on_resize, SIGWINCH);
	t->session.kind = SESSION_TERMINAL;
	t->session.out = &mon->shared.out;
	t->session.notices = true;
	session_open(&t->session, mon);
	the_term = t;
	mon->term = t;
	set_up_readline();
	history_open();
	greet(t);
	show_prompt(t);
	if (mon->ev.attached)
		mon->ev.attached(mon->ev.arg, true);
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct term *t = h->data;

	if (!--t->handles)
		free(t);
}

void term_free(struct term *t)
{
	if (!t)
		return;
	the_term = NULL;
	hide_prompt(t);
	if (t->console)
		rawtty_restore();
	history_close();
	session_close(&t->session);
	t->mon->term = NULL;
	uv_close((uv_handle_t *)&t->input, on_closed);
	uv_close((uv_handle_t *)&t->interrupt, on_closed);
	uv_close((uv_handle_t *)&t->resize, on_closed);
}
