/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The 16550A (National Semiconductor PC16550D data sheet), with two simplifications that keep it free of clocks:
 * a byte is sent the moment it is written, and the receiver's character timeout has always elapsed.  The line
 * makes no parity, framing or break errors; an overrun can only come from loopback, host input waits for room.
 */
#include "dev/pc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UART_BASE       0x3f8
#define UART_GSI        4
#define FIFO_BYTES      16

/* Register offsets; 0 and 1 are the divisor latch while LCR_DLAB is set, 2 is the IIR when read. */
enum { REG_DATA, REG_IER, REG_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR, UART_PORTS };

#define IER_RX          0x01
#define IER_THRE        0x02
#define IER_LINE        0x04
#define IER_MODEM       0x08

#define IIR_MODEM       0x00
#define IIR_NONE        0x01
#define IIR_THRE        0x02
#define IIR_RX          0x04
#define IIR_LINE        0x06
#define IIR_TIMEOUT     0x0c
#define IIR_FIFOS       0xc0

#define FCR_ENABLE      0x01
#define FCR_RX_RESET    0x02
#define FCR_KEPT        0xc9            /* enable, DMA mode, trigger level: the rest clears itself */

#define LCR_DLAB        0x80

#define MCR_DTR         0x01
#define MCR_RTS         0x02
#define MCR_OUT1        0x04
#define MCR_OUT2        0x08
#define MCR_LOOP        0x10
#define MCR_BITS        0x1f

#define LSR_DR          0x01
#define LSR_OE          0x02
#define LSR_THRE        0x20
#define LSR_TEMT        0x40

#define MSR_DELTAS      0x0f
#define MSR_TERI        0x04            /* the only delta that marks one edge: RI going away */
#define MSR_CTS         0x10
#define MSR_DSR         0x20
#define MSR_RI          0x40
#define MSR_DCD         0x80

#define DIVISOR_9600    12

struct uart_state {
	uint8_t ier, fcr, lcr, mcr, msr, scr;
	uint8_t dll, dlm;
	bool overrun;                   /* LSR_OE */
	bool thre_pending;              /* the transmitter emptied and no IIR read has told the guest */
	uint8_t rx_len;
	uint8_t rx[FIFO_BYTES];         /* oldest first; 0 beyond rx_len, so that equal states save equal */
};

struct uart {
	struct device dev;
	struct uart_state s;
	bool irq;                       /* the level the host knows */
};

static const struct uart_state power_on = {
	.msr = MSR_CTS | MSR_DSR | MSR_DCD,
	.dll = DIVISOR_9600,
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct uart_state, ier, 0x0f),
	DEV_FIELD(struct uart_state, fcr, FCR_KEPT),
	DEV_FIELD(struct uart_state, lcr, UINT8_MAX),
	DEV_FIELD(struct uart_state, mcr, MCR_BITS),
	DEV_FIELD(struct uart_state, msr, UINT8_MAX),
	DEV_FIELD(struct uart_state, scr, UINT8_MAX),
	DEV_FIELD(struct uart_state, dll, UINT8_MAX),
	DEV_FIELD(struct uart_state, dlm, UINT8_MAX),
	DEV_FIELD(struct uart_state, overrun, 1),
	DEV_FIELD(struct uart_state, thre_pending, 1),
	DEV_FIELD(struct uart_state, rx_len, FIFO_BYTES),
	DEV_BYTES(struct uart_state, rx),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static unsigned rx_capacity(const struct uart_state *s)
{
	return s->fcr & FCR_ENABLE ? FIFO_BYTES : 1;
}

static unsigned rx_trigger(const struct uart_state *s)
{
	static const uint8_t level[] = { 1, 4, 8, 14 };

	return s->fcr & FCR_ENABLE ? level[s->fcr >> 6] : 1;
}

/* The interrupt that stands first in the order of priority, as the IIR names it. */
static uint8_t find_interrupt(const struct uart_state *s)
{
	if ((s->ier & IER_LINE) && s->overrun)
		return IIR_LINE;
	/* Below the trigger level IIR_RX would lie: a driver may read that many bytes without looking. */
	if ((s->ier & IER_RX) && s->rx_len)
		return s->rx_len >= rx_trigger(s) ? IIR_RX : IIR_TIMEOUT;
	if ((s->ier & IER_THRE) && s->thre_pending)
		return IIR_THRE;
	if ((s->ier & IER_MODEM) && (s->msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

/* Brings the interrupt line to what the state asks for.  OUT2 gates it on a PC's board. */
static void update_irq(struct uart *u)
{
	bool level = (u->s.mcr & MCR_OUT2) && find_interrupt(&u->s) != IIR_NONE;

	if (level == u->irq)
		return;
	u->irq = level;
	u->dev.host->irq(u->dev.host->arg, UART_GSI, level);
}

static bool takes_input(const struct uart_state *s)
{
	return !(s->mcr & MCR_LOOP) && s->rx_len < rx_capacity(s);
}

static bool is_idle(const struct uart_state *s)
{
	return !s->rx_len && takes_input(s);
}

/* Asks for input when the receiver has become idle; WAS_IDLE is how it was before. */
static void want_input(struct uart *u, bool was_idle)
{
	if (!was_idle && is_idle(&u->s))
		u->dev.host->input_wanted(u->dev.host->arg);
}

static void clear_rx(struct uart_state *s)
{
	memset(s->rx, 0, sizeof(s->rx));
	s->rx_len = 0;
}

static uint8_t pop_rx(struct uart_state *s)
{
	uint8_t value = s->rx[0];

	if (s->rx_len) {
		s->rx_len--;
		memmove(s->rx, s->rx + 1, FIFO_BYTES - 1);
		s->rx[FIFO_BYTES - 1] = 0;
	}
	return value;
}

/* A byte that came in by loopback.  With a full FIFO the new byte is lost, without FIFOs the old one. */
static void loop_rx(struct uart_state *s, uint8_t value)
{
	if (s->rx_len < rx_capacity(s)) {
		s->rx[s->rx_len++] = value;
		return;
	}
	s->overrun = true;
	if (!(s->fcr & FCR_ENABLE))
		s->rx[0] = value;
}

static void write_data(struct uart *u, uint8_t value)
{
	/* The line goes down and up again, so that an edge-triggered controller sees each emptying. */
	u->s.thre_pending = false;
	update_irq(u);
	if (u->s.mcr & MCR_LOOP)
		loop_rx(&u->s, value);
	else
		u->dev.host->output(u->dev.host->arg, &value, 1);
	u->s.thre_pending = true;
}

static void write_ier(struct uart_state *s, uint8_t value)
{
	/* Enabling it with the transmitter empty, as it always is, raises it. */
	if (~s->ier & value & IER_THRE)
		s->thre_pending = true;
	s->ier = value & 0x0f;
}

static void write_fcr(struct uart_state *s, uint8_t value)
{
	if ((s->fcr ^ value) & FCR_ENABLE)
		clear_rx(s);
	/* The other bits are taken only together with bit 0. */
	if (!(value & FCR_ENABLE)) {
		s->fcr = 0;
		return;
	}
	if (value & FCR_RX_RESET)
		clear_rx(s);
	s->fcr = value & FCR_KEPT;
}

/* The modem's status lines: the other end's, always ready, or in loopback our own outputs. */
static uint8_t modem_lines(uint8_t mcr)
{
	if (!(mcr & MCR_LOOP))
		return power_on.msr;
	return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	       (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void write_mcr(struct uart_state *s, uint8_t value)
{
	uint8_t lines, deltas;

	s->mcr = value & MCR_BITS;
	lines = modem_lines(s->mcr);
	deltas = (s->msr ^ lines) >> 4;
	if (lines & MSR_RI)
		deltas &= (uint8_t)~MSR_TERI;
	s->msr = lines | (s->msr & MSR_DELTAS) | deltas;
}

static void uart_out(struct device *d, unsigned port, uint8_t value)
{
	struct uart *u = (struct uart *)d;
	bool idle = is_idle(&u->s), dlab = u->s.lcr & LCR_DLAB;

	switch (port) {
	case REG_DATA:
		if (dlab)
			u->s.dll = value;
		else
			write_data(u, value);
		break;
	case REG_IER:
		if (dlab)
			u->s.dlm = value;
		else
			write_ier(&u->s, value);
		break;
	case REG_FCR:
		write_fcr(&u->s, value);
		break;
	case REG_LCR:
		u->s.lcr = value;
		break;
	case REG_MCR:
		write_mcr(&u->s, value);
		break;
	case REG_SCR:
		u->s.scr = value;
		break;
	}
	update_irq(u);
	want_input(u, idle);
}

static uint8_t read_iir(struct uart_state *s)
{
	uint8_t iir = find_interrupt(s);

	if (iir == IIR_THRE)
		s->thre_pending = false;
	return iir | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t find_lsr(const struct uart_state *s)
{
	return LSR_THRE | LSR_TEMT | (s->rx_len ? LSR_DR : 0) | (s->overrun ? LSR_OE : 0);
}

static uint8_t read_lsr(struct uart_state *s)
{
	uint8_t lsr = find_lsr(s);

	s->overrun = false;
	return lsr;
}

static uint8_t read_msr(struct uart_state *s)
{
	uint8_t msr = s->msr;

	s->msr &= (uint8_t)~MSR_DELTAS;
	return msr;
}

static uint8_t read_reg(struct uart_state *s, unsigned port)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (port) {
	case REG_DATA:
		return dlab ? s->dll : pop_rx(s);
	case REG_IER:
		return dlab ? s->dlm : s->ier;
	case REG_FCR:
		return read_iir(s);
	case REG_LCR:
		return s->lcr;
	case REG_MCR:
		return s->mcr;
	case REG_LSR:
		return read_lsr(s);
	case REG_MSR:
		return read_msr(s);
	}
	return s->scr;
}

static uint8_t uart_in(struct device *d, unsigned port)
{
	struct uart *u = (struct uart *)d;
	bool idle = is_idle(&u->s);
	uint8_t value = read_reg(&u->s, port);

	update_irq(u);
	want_input(u, idle);
	return value;
}

static void uart_reset(struct device *d)
{
	struct uart *u = (struct uart *)d;
	bool idle = is_idle(&u->s);

	u->s = power_on;
	update_irq(u);
	want_input(u, idle);
}

static int uart_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(&((const struct uart *)d)->s, fields, NFIELDS, b);
}

static int uart_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct uart *u = (struct uart *)d;
	struct uart_state s = u->s;
	bool idle = is_idle(&u->s);
	int r = dev_fields_load(&s, fields, NFIELDS, b, d->ops->name, err);

	if (r < 0)
		return r;
	if (s.rx_len > rx_capacity(&s) || (s.fcr & ~FCR_KEPT) || (s.fcr && !(s.fcr & FCR_ENABLE)) ||
	    (s.msr & ~MSR_DELTAS) != modem_lines(s.mcr) || !dev_zeros(s.rx + s.rx_len, sizeof(s.rx) - s.rx_len))
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	u->s = s;
	update_irq(u);
	want_input(u, idle);
	return 0;
}

static void uart_free(struct device *d)
{
	free(d);
}

/* The names of the bits that VALUE has, from bit 0 on. */
static const char *bit_names(unsigned value, const char *const names[8], char text[64])
{
	text[0] = '\0';
	for (unsigned i = 0; i < 8; i++)
		if (value >> i & 1 && names[i])
			snprintf(text + strlen(text), 64 - strlen(text), "%s%s", *text ? " " : "", names[i]);
	return text;
}

static void uart_show(const struct device *d, const struct dev_show *sh)
{
	static const char *const enabled[8] = { "receiver", "transmitter", "line", "modem" };
	static const char *const modem[8] = { "DTR", "RTS", "OUT1", "OUT2", "loopback" };
	static const char *const line[8] = { "data", "overrun", NULL, NULL, NULL, "empty", "idle" };
	static const char *const inputs[8] = {
		"CTS-changed", "DSR-changed", "RI-ended", "DCD-changed", "CTS", "DSR", "RI", "DCD",
	};
	static const char *const pending[] = {
		[IIR_MODEM] = "modem", [IIR_NONE] = "no interrupt", [IIR_THRE] = "transmitter", [IIR_RX] = "receiver",
		[IIR_LINE] = "line", [IIR_TIMEOUT] = "receiver, below its trigger",
	};
	const struct uart_state *s = &((const struct uart *)d)->s;
	unsigned divisor = s->dll | (unsigned)s->dlm << 8;
	uint8_t iir = find_interrupt(s);
	char text[64];

	sh->reg(sh->arg, "ier", 8, s->ier, bit_names(s->ier, enabled, text));
	sh->reg(sh->arg, "iir", 8, iir | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0), pending[iir]);
	snprintf(text, sizeof(text), "FIFOs on, receiver's trigger %u", rx_trigger(s));
	sh->reg(sh->arg, "fcr", 8, s->fcr, s->fcr & FCR_ENABLE ? text : "FIFOs off");
	snprintf(text, sizeof(text), "%u bits, %s parity, %s%s", 5u + (s->lcr & 3),
		 !(s->lcr & 8) ? "no" : s->lcr & 0x20 ? "fixed" : s->lcr & 0x10 ? "even" : "odd",
		 !(s->lcr & 4) ? "1 stop bit" : s->lcr & 3 ? "2 stop bits" : "1.5 stop bits",
		 s->lcr & LCR_DLAB ? ", divisor latch" : "");
	sh->reg(sh->arg, "lcr", 8, s->lcr, text);
	sh->reg(sh->arg, "mcr", 8, s->mcr, bit_names(s->mcr, modem, text));
	sh->reg(sh->arg, "lsr", 8, find_lsr(s), bit_names(find_lsr(s), line, text));
	sh->reg(sh->arg, "msr", 8, s->msr, bit_names(s->msr, inputs, text));
	sh->reg(sh->arg, "scr", 8, s->scr, NULL);
	snprintf(text, sizeof(text), "%u baud", divisor ? 115200 / divisor : 0);
	sh->reg(sh->arg, "divisor", 16, divisor, divisor ? text : NULL);
	snprintf(text, sizeof(text), "%u of %u bytes wait", s->rx_len, rx_capacity(s));
	sh->reg(sh->arg, "receiver", 8, s->rx[0], text);
}

static const struct dev_ops uart_ops = {
	.name = "uart",
	.what = "serial line COM1",
	.reset = uart_reset,
	.save = uart_save,
	.load = uart_load,
	.free = uart_free,
	.in = uart_in,
	.out = uart_out,
	.show = uart_show,
};

int uart_attach(struct bus *b, struct device **ret, struct err *err)
{
	struct uart *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_set(err, ENOMEM, "no memory for the serial port");
	u->dev.ops = &uart_ops;
	u->s = power_on;
	r = bus_attach(b, &u->dev, UART_BASE, UART_PORTS, err);
	if (r < 0)
		return r;
	*ret = &u->dev;
	return 0;
}

size_t uart_input(struct bus *b, struct device *uart, const uint8_t *data, size_t len)
{
	struct uart *u = (struct uart *)uart;
	size_t n = 0;

	bus_lock(b);
	while (n < len && takes_input(&u->s))
		u->s.rx[u->s.rx_len++] = data[n++];
	if (n)
		update_irq(u);
	bus_unlock(b);
	return n;
}
