# gdb -nx -batch -ex 'symbol-file examples/boot.elf' \
#	-ex 'target remote | gdbvisor -g stdio examples/boot.bin' -x examples/boot.gdb
set pagination off
set confirm off

if $pc != (unsigned long)&start
	echo not at the first instruction\n
	quit 1
end
break *&count
continue
if $pc != (unsigned long)&count
	echo the breakpoint at count was not hit\n
	quit 2
end
x/3i $pc
stepi
if *(unsigned int *)&counter != 1
	echo one step should have counted one\n
	quit 3
end
delete
# let it out
set {unsigned char}&leave = 1
continue
if $_isvoid($_exitcode) || $_exitcode != 1
	echo it should have left with status 1\n
	quit 4
end
echo boot: as expected\n
quit 0
