/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files that implement the machine share: machine_kvm.c (making it), machine_ops.c (looking at it), slot_ops.c and
 * dirty_ops.c (its memory), run.c (running it).
 */
#ifndef GV_KVM_MACHINE_PRIV_H
#define GV_KVM_MACHINE_PRIV_H

#include "break/watch.h"
#include "kvm/guest_time.h"
#include "kvm/here.h"
#include "kvm/machine_kvm.h"
#include "kvm/slots.h"
#include "kvm/vcpu.h"
#include "sym/symbols.h"
#include "util/logring.h"

#define TROUBLES_MAX  16u
#define TROUBLE_BYTES 200u

struct machine_kvm {
	struct machine base;    /* first */
	struct vm vm;
	struct slots *slots;
	struct dev_host dev_host;
	struct image image;
	struct load_opts load;
	struct symbols *symbols;        /* NULL: none */
	struct blob symbols_file;       /* what they are of; empty: of the image */
	uint64_t slide;                 /* of the symbols */
	struct kernel_view *kernel;     /* kernel_view.h */
	char *exec_file;                /* info's */
	struct machine_info info;
	struct observer *observers;

	/* run.c; the loop thread's */
	enum machine_state state;
	struct stop_event last_stop;
	unsigned holds;
	bool must_reset;        /* a triple fault was reported: the next resume resets */
	bool stop_wanted;       /* by machine_stop() */
	bool report_now;        /* an event waits while nothing runs */
	bool reset_told;        /* the reset that is asked for was reported, by a catchpoint */
	const char *reset_by;   /* the device that asks; static text */
	struct here *here;
	bool fresh;             /* a resume's first start, which may be here */
	struct vcpu *begins;    /* runs here at the next poll, which is due now; NULL: none */
	bool carve_owed;        /* rights of pages could not be put into force: tried again before anything runs */
	uint64_t guarded;       /* generation of the breakpoints whose pages are guarded */
	int poll_fd;            /* epoll: the vCPUs' news, and the timer */
	int timer_fd;
	long tick_ns;           /* its period, 0: off */
	uint64_t tick_due;      /* CLOCK_MONOTONIC, nanoseconds: it has not come before */
	bool tell_resumed, tell_reset, tell_stopped;    /* for observers, at the next poll */
	unsigned turn;          /* the vCPU whose event is looked at first */
	/* Set by vCPU threads. */
	atomic_bool reset_asked;
	atomic_bool remap_asked;        /* PAM registers have changed */
	atomic_bool log_news;           /* firmware_log has grown since it was told of */
	/* By any thread. */
	atomic_bool device_news;        /* bus_poll() is to be called */

	/* host.c: the guest's clock, nanoseconds.  Changes while every vCPU is parked. */
	struct {
		uint64_t ran;           /* altogether until `since` */
		uint64_t since;         /* CLOCK_MONOTONIC when it last went on; 0: it is stopped */
		struct guest_time stopped;      /* when it last stopped; ns 0: it never ran */
	} clock;
	int device_timer_fd;
	atomic_bool timer_set;          /* it may expire, or has */
	/* What devices have said of drivers, and nobody has been told yet. */
	struct {
		pthread_mutex_t lock;
		unsigned n;
		char line[TROUBLES_MAX][TROUBLE_BYTES];
	} trouble;
	struct logring firmware_log;
	uint64_t log_told;              /* how much of it observers have got */
};

static inline struct machine_kvm *machine_priv(struct machine *m)
{
	return (struct machine_kvm *)m;
}

/* Loads the image and puts devices, vCPUs and breakpoints into their starting state.  Every vCPU parked. */
int machine_load(struct machine_kvm *k, struct err *err);

/* The run.c members of the ops table; contracts in api/machine.h. */
enum machine_state run_state(struct machine *m);
const struct stop_event *run_last_stop(struct machine *m);
int run_resume(struct machine *m, const struct run_action *acts, struct err *err);
int run_redirect(struct machine *m, const struct run_action *acts, struct err *err);
void run_stop(struct machine *m);
int run_reset(struct machine *m, struct err *err);
int run_hold(struct machine *m, struct err *err);
void run_release(struct machine *m);
int run_event_fd(struct machine *m);
void run_poll(struct machine *m, unsigned spin_us);
void run_observe(struct machine *m, struct observer *o);
void run_unobserve(struct machine *m, struct observer *o);
/* -EBUSY unless every vCPU is parked. */
int run_check_parked(const struct machine_kvm *k, struct err *err);
/*
 * run_tick.c.  Everything that depends on what the guest has mapped and loaded, before it runs; and what is looked after meanwhile, by a
 * timer, which brings the guest out where something has to be done.  Loop thread; for the first all parked.
 */
void run_prepare(struct machine_kvm *k);
void run_tick(struct machine_kvm *k);
/* Ends whatever runs, for machine_kvm_free(). */
void run_end(struct machine_kvm *k);

/* host.c: what devices ask of the machine. */
void host_init(struct machine_kvm *k);
/* The guest's clock runs, or stands still.  Every vCPU parked. */
void host_clock_run(struct machine_kvm *k, bool on);
/* Gives the devices what has come for them, unless the clock stands still.  Nobody holds the machine; no lock held. */
void host_inputs(struct machine_kvm *k);
/* The next line of trouble to tell people; false: there is none. */
bool host_next_trouble(struct machine_kvm *k, char ret[TROUBLE_BYTES]);

bool op_device_list(struct machine *m, size_t index, struct device_info *ret);
void op_device_regs(struct machine *m, size_t index, void (*each)(void *arg, const struct device_reg *r), void *arg);
bool op_pci_list(struct machine *m, size_t index, struct pci_info *ret);
int op_screen(struct machine *m, struct screen *ret, struct err *err);
int op_key_text(struct machine *m, const char *text, size_t len, struct err *err);
int op_inject(struct machine *m, const struct injection *i, struct err *err);
size_t op_firmware_log(struct machine *m, uint64_t *from, char *ret, size_t size);

/* kernel_view.c: a Linux kernel in the guest; contracts in api/machine.h. */
int op_kernel_info(struct machine *m, struct kernel_info *ret, struct err *err);
int op_kernel_current(struct machine *m, unsigned cpu, struct kernel_task *ret, struct err *err);
int op_kernel_tasks(struct machine *m, bool (*each)(void *arg, const struct kernel_task *t), void *arg, struct err *err);
int op_kernel_modules(struct machine *m, bool (*each)(void *arg, const struct kernel_module *mod), void *arg,
		      struct err *err);
int op_kernel_log(struct machine *m, uint64_t from, bool (*each)(void *arg, const struct kernel_message *msg), void *arg,
		  struct err *err);

/* break_ops.c: breakpoints, watchpoints, catchpoints and what belongs to them; contracts in api/machine.h. */
int op_break_insert(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err);
int op_break_remove(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err);
int op_break_clear(struct machine *m, enum break_owner owner, struct err *err);
bool op_break_list(struct machine *m, size_t index, struct break_info *ret);
int op_watch_insert(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err);
int op_watch_remove(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err);
bool op_watch_list(struct machine *m, size_t index, struct watch_info *ret);
void op_break_filter(struct machine *m, enum break_owner owner, stop_filter_fn *filter, void *arg);
int op_catch_add(struct machine *m, const struct catch_spec *spec, unsigned *ret_id, struct err *err);
int op_catch_remove(struct machine *m, unsigned id, struct err *err);
bool op_catch_list(struct machine *m, size_t index, struct catch_info *ret);
bool op_setting(struct machine *m, enum machine_setting which, const bool *value);
/* Makes the tables of K, whose vm is there but for the vCPUs.  -ENOMEM. */
int breaks_init(struct machine_kvm *k, struct err *err);
void breaks_done(struct machine_kvm *k);
/* Around a change of what memory the guest has, or what is in it: nothing of ours is in its way meanwhile. */
void breaks_suspend(struct machine_kvm *k);
void breaks_resume(struct machine_kvm *k);

/* sym_ops.c: symbols; contracts in api/machine.h. */
int op_sym_find(struct machine *m, const char *name, size_t len, uint64_t *ret_addr);
const char *op_sym_at(struct machine *m, uint64_t addr, uint64_t *ret_offset);
const char *op_sym_next(struct machine *m, size_t index);
int op_sym_line(struct machine *m, uint64_t gva, struct source_line *ret);
int op_sym_places(struct machine *m, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
		  struct err *err);
uint64_t op_sym_slide(struct machine *m, const uint64_t *value);
int op_sym_load(struct machine *m, const char *path, struct err *err);
/*
 * Takes the symbols of FILE, which is taken over when it has any, or, when that is empty, of the image, which may have none.  -ENOEXEC: FILE is
 * no ELF file, or has none; -ENOMEM.
 */
int sym_open(struct machine_kvm *k, struct blob *file, struct err *err);
void sym_close(struct machine_kvm *k);

/* The slot_ops.c members. */
bool op_slot_list(struct machine *m, size_t index, struct slot_info *ret);
int op_slot_add(struct machine *m, const struct slot_spec *spec, struct slot_note *ret_note, struct err *err);
int op_slot_remove(struct machine *m, unsigned id, struct slot_note *ret_note, struct err *err);
int op_slot_move(struct machine *m, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err);
int op_slot_flags(struct machine *m, unsigned id, const bool *log, const bool *readonly, struct err *err);
int op_slot_split(struct machine *m, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err);
int op_slot_resize(struct machine *m, unsigned id, uint64_t size, struct err *err);
int op_slot_discard(struct machine *m, unsigned id, uint64_t offset, uint64_t size, struct err *err);
int op_slot_remap(struct machine *m, unsigned id, uint64_t offset, uint64_t size, const char *path,
		  uint64_t file_offset, struct err *err);
int op_slot_save(struct machine *m, unsigned id, const char *path, struct err *err);
int op_slot_check(struct machine *m, void (*each)(void *arg, const struct slot_fault *f), void *arg,
		  struct err *err);

/* The dirty_ops.c members. */
int op_dirty_read(struct machine *m, unsigned id, enum dirty_consumer who, bool take, struct dirty_map *ret,
		  struct err *err);
int op_dirty_diff(struct machine *m, unsigned id, dirty_diff_fn *each, void *arg, struct err *err);
int op_dirty_who(struct machine *m, unsigned id, bool on, struct err *err);
bool op_dirty_writer(struct machine *m, unsigned id, size_t index, struct dirty_writer *ret);

extern const struct machine_ops machine_kvm_ops;

#endif
