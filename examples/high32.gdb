# gdb -nx -batch -ex 'file examples/high32.elf' \
#	-ex 'target remote | gdbvisor -g stdio examples/high32.elf' -x examples/high32.gdb
set pagination off
set confirm off

# Paging is off: $pc is where the kernel was loaded, and its symbols are 3 GiB above.
if $pc != (unsigned int)&start - 0xc0000000
	echo it should start at its physical address\n
	quit 1
end
x/3i $pc
# Nothing is there yet: both wait for the guest to turn paging on.
break main
thbreak pace
continue
if $pc < 0xc0000000
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
echo high32: as expected\n
quit 0
