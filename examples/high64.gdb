# gdb -nx -batch -ex 'file examples/high64.elf' \
#	-ex 'target remote | gdbvisor -g stdio examples/high64.elf' -x examples/high64.gdb
set pagination off
set confirm off

# $pc is where the kernel was loaded, and its symbols are 2 GiB below the top.
if $pc != (unsigned long)&start - 0xffffffff80000000
	echo it should start at its physical address\n
	quit 1
end
x/3i $pc
# Nothing is there yet: both wait for the guest to map it.
break main
thbreak pace
continue
if (unsigned long)$pc < 0xffffffff80000000
	echo main should be up there\n
	quit 2
end
backtrace
next
continue
print n
if n != 1
	echo the hardware breakpoint should have stopped it in its first call\n
	quit 3
end
finish
watch paces
continue
print paces
delete
continue
if $_isvoid($_exitcode) || $_exitcode != 1
	echo it should have left with status 1\n
	quit 4
end
echo high64: as expected\n
quit 0
