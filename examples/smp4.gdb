# gdb -nx -batch -ex 'file examples/smp4.elf' \
#	-ex 'target remote | gdbvisor -c 4 -g stdio examples/smp4.elf' -x examples/smp4.gdb
set pagination off
set confirm off

# the loop of CPU 0, once all are up
tbreak tick if c == &counters[0]
continue
info threads
thread apply all x/i $pc
if cpus_up != 4
	printf "%d CPUs came up\n", cpus_up
	quit 1
end
# every CPU comes by
set $cpu = 1
while $cpu < 4
	tbreak tick if c == &counters[$cpu]
	continue
	if c != &counters[$cpu]
		printf "CPU %d did not come by\n", $cpu
		quit 2
	end
	set $cpu = $cpu + 1
end
# let it out
set var leave = 1
continue
if $_isvoid($_exitcode) || $_exitcode != 1
	echo it should have left with status 1\n
	quit 3
end
echo smp4: as expected\n
quit 0
