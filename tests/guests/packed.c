/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a debugger looks for in Linux, small: structures with the kernel's names, a list of tasks with threads, a module
 * with symbols, a log, an oops and a panic.  Runs wherever it is put: every pointer is made when it runs.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define offset_of(type, member) __builtin_offsetof(type, member)
#define noinline __attribute__((noinline, noclone))

struct list_head {
	struct list_head *next, *prev;
};

struct thread_info {
	u64 flags;
	u32 cpu;
};

struct signal_struct {
	struct list_head thread_head;
};

struct task_struct {
	struct thread_info thread_info;
	u32 __state;
	int exit_state;
	u32 flags;
	struct list_head tasks;
	int pid, tgid;
	struct task_struct *real_parent;
	struct list_head thread_node;
	struct signal_struct *signal;
	char comm[16];
};

enum module_state { MODULE_STATE_LIVE, MODULE_STATE_COMING, MODULE_STATE_GOING, MODULE_STATE_UNFORMED };

struct elf64_sym {
	u32 st_name;
	u8 st_info, st_other;
	u16 st_shndx;
	u64 st_value, st_size;
};

struct mod_kallsyms {
	struct elf64_sym *symtab;
	u32 num_symtab;
	char *strtab;
};

struct module_layout {
	void *base;
	u32 size;
};

struct module {
	enum module_state state;
	struct list_head list;
	char name[56];
	struct module_layout core_layout;
	struct mod_kallsyms *kallsyms;
};

struct printk_info {
	u64 seq, ts_nsec;
	u16 text_len;
	u8 facility, flags : 5, level : 3;
	u32 caller_id;
};

struct prb_data_blk_lpos {
	u64 begin, next;
};

struct prb_desc {
	struct {
		long counter;
	} state_var;
	struct prb_data_blk_lpos text_blk_lpos;
};

struct prb_desc_ring {
	u32 count_bits;
	struct prb_desc *descs;
	struct printk_info *infos;
	long head_id, tail_id;
};

struct prb_data_ring {
	u32 size_bits;
	char *data;
	long head_lpos, tail_lpos;
};

struct printk_ringbuffer {
	struct prb_desc_ring desc_ring;
	struct prb_data_ring text_data_ring;
};

struct pt_regs {
	u64 before[16], ip;
};

const char linux_banner[] = "Linux version 6.1.0-packed (gdbvisor) #1\n";
struct task_struct init_task;
struct list_head modules;
u64 __per_cpu_offset[4];
struct printk_ringbuffer *prb;

static struct task_struct task[3];
static struct signal_struct signals[2];
static struct module module;
static struct mod_kallsyms kallsyms;
static struct elf64_sym symtab[2];
static char strtab[] = "\0poke";
static struct printk_ringbuffer ring;
static struct prb_desc descs[4];
static struct printk_info infos[4];
static char text[64] __attribute__((aligned(8)));
static u64 percpu[16];
static struct pt_regs regs;
volatile u64 turns, delay = 300000;

static void list_add(struct list_head *new, struct list_head *prev)
{
	new->next = prev->next;
	new->prev = prev;
	prev->next->prev = new;
	prev->next = new;
}

static void list_init(struct list_head *l)
{
	l->next = l->prev = l;
}

static void copy(char *to, const char *from)
{
	while ((*to++ = *from++))
		;
}

static void make_task(struct task_struct *t, int pid, int tgid, u32 state, const char *comm)
{
	t->pid = pid;
	t->tgid = tgid;
	t->__state = state;
	t->real_parent = &init_task;
	copy(t->comm, comm);
}

static void make_tasks(void)
{
	make_task(&init_task, 0, 0, 0, "swapper/0");
	init_task.flags = 0x200000;
	list_init(&init_task.tasks);
	make_task(&task[0], 1, 1, 1, "init");
	make_task(&task[1], 5, 5, 0, "worker");
	make_task(&task[2], 6, 5, 2, "thread");
	for (int i = 0; i < 2; i++) {
		list_init(&signals[i].thread_head);
		task[i].signal = &signals[i];
		list_add(&task[i].thread_node, &signals[i].thread_head);
		list_add(&task[i].tasks, init_task.tasks.prev);
	}
	list_add(&task[2].thread_node, signals[1].thread_head.prev);
	percpu[8] = (u64)&task[1];
}

/* A function and its name, in memory that no symbol of the kernel's is at. */
static void make_module(void)
{
	u8 *base = (u8 *)0xffffffffa0000000ul;

	base[0x10] = 0x90;
	base[0x11] = 0xc3;
	list_init(&modules);
	module.core_layout.base = base;
	module.core_layout.size = 4096;
	copy(module.name, "packed_mod");
	symtab[1] = (struct elf64_sym){ .st_name = 1, .st_info = 2, .st_shndx = 1, .st_value = (u64)base + 0x10, .st_size = 2 };
	kallsyms = (struct mod_kallsyms){ symtab, 2, strtab };
	module.kallsyms = &kallsyms;
	list_add(&module.list, &modules);
}

/* The second one's text is at the start of the buffer, as it did not fit before its end. */
static void make_log(void)
{
	ring.desc_ring.count_bits = 2;
	ring.desc_ring.descs = descs;
	ring.desc_ring.infos = infos;
	ring.desc_ring.tail_id = 4;
	ring.desc_ring.head_id = 6;
	ring.text_data_ring.size_bits = 6;
	ring.text_data_ring.data = text;
	copy(text + 40 + 8, "one");
	copy(text + 8, "two, at the start");
	descs[0] = (struct prb_desc){ { 4 | 2l << 62 }, { 40, 56 } };
	infos[0] = (struct printk_info){ .seq = 0, .ts_nsec = 1000, .text_len = 3, .level = 6 };
	descs[1] = (struct prb_desc){ { 5 | 1l << 62 }, { 56, 64 + 32 } };
	infos[1] = (struct printk_info){ .seq = 1, .ts_nsec = 2500001000, .text_len = 17, .level = 4 };
	descs[2] = (struct prb_desc){ { 6 }, { 96, 104 } };             /* being written */
	prb = &ring;
}

noinline void kernel_ready(void)
{
	turns++;
}

noinline void panic(const char *fmt, ...)
{
	for (;;)
		__asm__ volatile("hlt" : : "r"(fmt));
}

noinline int __die(const char *str, struct pt_regs *r, long err)
{
	__asm__ volatile("" : : "r"(str), "r"(r), "r"(err));
	return 0;
}

noinline void start_kernel(void)
{
	u64 base = (u64)percpu;

	for (int i = 0; i < 4; i++)
		__per_cpu_offset[i] = base;
	__asm__ volatile("wrmsr" : : "c"(0xc0000101), "a"((u32)base), "d"((u32)(base >> 32)));
	make_tasks();
	make_module();
	make_log();
	kernel_ready();
	/* Long enough for somebody who looks now and then to find where it is. */
	while (delay)
		delay--;
	((void (*)(void))0xffffffffa0000010ul)();
	regs.ip = (u64)kernel_ready;
	__die("general protection fault", &regs, 0x10);
	panic("Attempted to kill %s! exitcode=0x%08x\n", task[0].comm, 11);
}

void x86_64_start_kernel(void)
{
	start_kernel();
}
