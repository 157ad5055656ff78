// cecho answers frames of one WebSocket stream with the same order bytes, from one
// thread that never sleeps: the floor of tick-to-order on a machine. It looks at
// nothing but frame headers, and at a mark in the payload if it is told one.
//
//	cecho STREAM_PORT REST_PORT TARGET ORDER_FILE PREFIX MARK_AT [CA_FILE]
//
// Both ports are on loopback. TARGET is the path and query of the stream. Without a
// PREFIX every frame is answered, at its first byte; else those whose payload begins
// with PREFIX and has an even digit at MARK_AT. With CA_FILE it speaks TLS 1.3, if it
// was built with -DSECURE. It ends with 0 at SIGTERM or when a peer hangs up.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef SECURE
#include <openssl/err.h>
#include <openssl/ssl.h>
static SSL_CTX *tls;
#endif

static volatile sig_atomic_t stop;
static void on_term(int sig) { (void)sig; stop = 1; }

static void die(const char *what)
{
	fprintf(stderr, "cecho: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

struct line {
	int fd;
#ifdef SECURE
	SSL *ssl;
#endif
};

static struct line dial(const char *port)
{
	struct line l = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;
	if (l.fd < 0 || connect(l.fd, (struct sockaddr *)&to, sizeof to) != 0)
		die("connect");
	if (setsockopt(l.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
		die("set TCP_NODELAY");
#ifdef SECURE
	if (tls) {
		l.ssl = SSL_new(tls);
		if (!l.ssl || !SSL_set1_host(l.ssl, "localhost") || !SSL_set_fd(l.ssl, l.fd) || SSL_connect(l.ssl) != 1) {
			ERR_print_errors_fp(stderr);
			die("shake hands");
		}
	}
#endif
	return l;
}

// get returns bytes read, 0 when there are none now, -1 when there never will be.
static int get(struct line *l, char *to, int most)
{
#ifdef SECURE
	if (l->ssl) {
		int n = SSL_read(l->ssl, to, most);
		if (n > 0)
			return n;
		int e = SSL_get_error(l->ssl, n);
		return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
#endif
	ssize_t n = recv(l->fd, to, (size_t)most, MSG_DONTWAIT);
	if (n > 0)
		return (int)n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int put(struct line *l, const char *from, int len)
{
	while (len > 0 && !stop) {
		int n;
#ifdef SECURE
		if (l->ssl) {
			n = SSL_write(l->ssl, from, len);
			if (n <= 0) {
				int e = SSL_get_error(l->ssl, n);
				if (e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ)
					return -1;
				n = 0;
			}
		} else
#endif
		{
			n = (int)send(l->fd, from, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0) {
				if (errno != EAGAIN && errno != EINTR)
					return -1;
				n = 0;
			}
		}
		from += n;
		len -= n;
	}
	return 0;
}

enum { ROOM = 1 << 18, IDLE_LOOK = 256 };
static char in[ROOM], order[4096], answers[1 << 16];
static size_t have, prefix_len, mark_at;
static const char *prefix;
static size_t left;     // payload and header bytes of a frame already judged
static int answered;    // the frame that begins in[0], when every one is
static int order_len;

// take judges what has come and says how many orders are due.
static int take(void)
{
	size_t at = 0;
	int due = 0;
	while (at < have) {
		if (left > 0) {
			size_t n = have - at < left ? have - at : left;
			at += n;
			left -= n;
			continue;
		}
		if (prefix_len == 0 && !answered) {
			answered = 1;
			due++;
		}
		const unsigned char *f = (const unsigned char *)in + at;
		size_t more = have - at, head = 2, len;
		if (more < 2)
			break;
		len = f[1] & 127;
		if (len == 126)
			head = 4;
		else if (len == 127)
			head = 10;
		if (more < head)
			break;
		if (head > 2) {
			len = 0;
			for (size_t i = 2; i < head; i++)
				len = len << 8 | f[i];
		}
		if (prefix_len > 0 && len > mark_at) {
			if (more < head + mark_at + 1)
				break;
			if (memcmp(f + head, prefix, prefix_len) == 0 && (f[head + mark_at] & 1) == 0)
				due++;
		}
		left = head + len;
		answered = 0;
	}
	memmove(in, in + at, have - at);
	have -= at;
	return due;
}

static void upgrade(struct line *l, const char *target)
{
	int n = snprintf(in, sizeof in,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", target);
	if (n >= (int)sizeof in || put(l, in, n) != 0)
		die("send the handshake");
	for (;;) {
		n = get(l, in + have, (int)(ROOM - 1 - have));
		if (n < 0 || stop)
			die("read the handshake's answer");
		have += (size_t)n;
		in[have] = 0;
		char *end = strstr(in, "\r\n\r\n");
		if (!end)
			continue;
		if (strncmp(in, "HTTP/1.1 101", 12) != 0) {
			fprintf(stderr, "cecho: cannot upgrade: got %.60s\n", in);
			exit(1);
		}
		size_t head = (size_t)(end + 4 - in);
		memmove(in, in + head, have - head);
		have -= head;
		return;
	}
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: cecho STREAM_PORT REST_PORT TARGET ORDER_FILE PREFIX MARK_AT [CA_FILE]\n");
		return 2;
	}
	struct sigaction act = {.sa_handler = on_term};
	sigaction(SIGTERM, &act, 0);
	sigaction(SIGINT, &act, 0);
	FILE *f = fopen(argv[4], "rb");
	if (!f || (order_len = (int)fread(order, 1, sizeof order, f)) <= 0)
		die("read the order");
	fclose(f);
	prefix = argv[5];
	prefix_len = strlen(prefix);
	mark_at = (size_t)atoi(argv[6]);
	if (argc > 7) {
#ifdef SECURE
		signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
		tls = SSL_CTX_new(TLS_client_method());
		if (!tls || !SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) || !SSL_CTX_load_verify_locations(tls, argv[7], 0))
			die("set TLS up");
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, 0);
		SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE);
#else
		fprintf(stderr, "cecho: built without TLS\n");
		return 2;
#endif
	}
	struct line stream = dial(argv[1]), orders = dial(argv[2]);
	upgrade(&stream, argv[3]);
	fcntl(stream.fd, F_SETFL, O_NONBLOCK);
	fcntl(orders.fd, F_SETFL, O_NONBLOCK);
	for (unsigned turn = 1; !stop; turn++) {
		int n = get(&stream, in + have, (int)(ROOM - have));
		if (n < 0)
			return 0;
		if (n == 0 && turn % IDLE_LOOK == 0 && get(&orders, answers, sizeof answers) < 0)
			return 0;
		have += (size_t)n;
		if (n > 0 || have > 0)
			for (int due = take(); due > 0; due--)
				if (put(&orders, order, order_len) != 0)
					return 0;
	}
	return 0;
}
