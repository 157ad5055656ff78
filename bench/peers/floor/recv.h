#ifndef RIPOSTE_FLOOR_RECV_H
#define RIPOSTE_FLOOR_RECV_H

#include <stdint.h>

/* Reads n bytes from a blocking socket by 64 KiB and looks at none of them. Returns
 * how many came. */
uint64_t floor_recv(int fd, uint64_t n);

#endif
