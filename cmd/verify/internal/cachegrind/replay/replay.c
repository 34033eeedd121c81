/* Replays a sequence of memory accesses, so that cachegrind counts their misses.
 *
 * usage: replay BYTES. Standard input holds entries of four bytes in the host's byte
 * order: the offset divided by four, shifted left by one, with one added for a store.
 * The offsets lie below BYTES; the writer of the trace has checked it.
 *
 * The buffer is one line, because it shares the simulated caches with the accesses, and
 * read(2) fills it, because what the kernel copies is not simulated. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 16, ALIGN = 1 << 20 };

static uint32_t entries[ENTRIES] __attribute__((aligned(64)));

/* sysread is read(2). Where we can do without a call, the stack stays out of the caches. */
static inline ssize_t sysread(void *to, size_t size)
{
#if defined(__x86_64__) && defined(__linux__)
	ssize_t n;
	__asm__ volatile("syscall" : "=a"(n)
			 : "0"((long)SYS_read), "D"(0L), "S"(to), "d"(size)
			 : "rcx", "r11", "memory");
	return n;
#else
	return read(0, to, size);
#endif
}

/* fill reads whole entries, and answers how many; a pipe may cut one in two. */
static size_t fill(void)
{
	size_t have = 0;
	do {
		ssize_t n = sysread((char *)entries + have, sizeof entries - have);
		if (n < 0)
			exit(3);
		if (n == 0)
			break;
		have += n;
	} while (have % sizeof entries[0]);
	return have / sizeof entries[0];
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoull(argv[1], 0, 10) : 0;
	char *at = mmap(0, size + ALIGN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t n, i;
	volatile uint32_t *arena;

	if (!size || at == MAP_FAILED)
		return 2;
	arena = (volatile uint32_t *)(((uintptr_t)at + ALIGN - 1) & -(uintptr_t)ALIGN);
	while ((n = fill()))
		for (i = 0; i < n; i++) {
			uint32_t entry = entries[i];
			if (entry & 1)
				arena[entry >> 1] = entry; /* the store */
			else
				(void)arena[entry >> 1]; /* the load */
		}
	return 0;
}
