#include "recv.h"

#include <errno.h>
#include <sys/socket.h>

uint64_t floor_recv(int fd, uint64_t n)
{
	static __thread char buf[64 << 10];
	uint64_t got = 0;
	while (got < n) {
		ssize_t k = recv(fd, buf, n - got < sizeof buf ? n - got : sizeof buf, 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		got += (uint64_t)k;
	}
	return got;
}
