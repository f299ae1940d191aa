# KERNEL=arch/x86/boot/bzImage VMLINUX=vmlinux INITRD=initrd.cpio
# gdb -nx -batch -ex "file $VMLINUX" \
#	-ex "target remote | gdbvisor -g stdio -m 512M --decompress -i $INITRD -a 'console=ttyS0 earlyprintk=serial' $KERNEL" \
#	-x examples/linux.gdb
set pagination off
set confirm off

# Nothing is mapped up there yet: it waits for the kernel to do so.
break start_kernel
continue
if $pc != (unsigned long)&start_kernel
	echo it should have come to start_kernel\n
	quit 1
end
backtrace
print linux_banner
print init_task.comm
# the command line, as the kernel has copied it
print boot_command_line
next
tbreak setup_arch
continue
up
echo linux: as expected\n
kill
quit 0
