package binance

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// roads runs f once with the assembly, where there is one, and once without. Tests
// that use it do not run in parallel.
func roads(t testing.TB, f func(t testing.TB, road string)) {
	f(t, road())
	if !hardware {
		return
	}
	setHardware(false)
	defer setHardware(true)
	f(t, road())
}

func road() string {
	if hardware {
		return "assembly"
	}
	return "library"
}

// reference is the signature by the standard library.
func reference(secret []byte, parts ...[]byte) string {
	h := hmac.New(sha256.New, secret)
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inPieces is the signature by way of midstates: the payload is fed in the pieces given,
// as much of each as makes whole blocks, and the rest signed.
func inPieces(h *hmacSigner, pieces ...[]byte) string {
	m := h.start()
	var all []byte
	for _, p := range pieces {
		all = append(all, p...)
		h.feed(&m, all[m.of():]) // the key's block is not part of the payload
	}
	return string(h.appendFrom(nil, &m, all[m.of():]))
}

func TestEveryLengthIsSignedAsTheLibraryDoes(t *testing.T) {
	secret := []byte("NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j")
	payload := make([]byte, 400)
	for i := range payload {
		payload[i] = byte(i*7 + i>>3)
	}
	roads(t, func(t testing.TB, road string) {
		h := newHMAC(secret)
		for n := range len(payload) + 1 {
			want := reference(secret, payload[:n])
			if got := string(h.AppendREST(nil, payload[:n])); got != want {
				t.Fatalf("%s, %d bytes: signature is %s, want %s", road, n, got, want)
			}
			for _, cut := range []int{0, 1, 63, 64, 65, 127, 128, 200} {
				if cut > n {
					break
				}
				if got := inPieces(h, payload[:cut], payload[cut:n]); got != want {
					t.Fatalf("%s, %d bytes cut at %d: signature is %s, want %s", road, n, cut, got, want)
				}
			}
		}
	})
}

// TestSHA256Vectors is NIST's (FIPS 180-4 examples): one block, two, a million bytes.
func TestSHA256Vectors(t *testing.T) {
	for _, v := range []struct{ text, want string }{
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{strings.Repeat("a", 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	} {
		roads(t, func(t testing.TB, road string) {
			st := newHMAC(nil).state()
			p := append([]byte(v.text), 0x80)
			for len(p)%block != block-8 {
				p = append(p, 0)
			}
			bits := uint64(len(v.text)) * 8
			for i := 7; i >= 0; i-- {
				p = append(p, byte(bits>>(8*i)))
			}
			m := midstate{h: sha256Start}
			if n := st.feed(&m, p); n != len(p) || m.n != len(p) {
				t.Fatalf("%s: took %d of %d bytes", road, n, len(p))
			}
			var got []byte
			for _, w := range m.h {
				got = append(got, byte(w>>24), byte(w>>16), byte(w>>8), byte(w))
			}
			if hex.EncodeToString(got) != v.want {
				t.Errorf("%s, %.10q: digest is %x, want %s", road, v.text, got, v.want)
			}
		})
	}
}

func TestHMACEqualsTheLibrarysForAnyKeyAndAnyPieces(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(rt, "secret")
		pieces := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 1, 6).Draw(rt, "pieces")
		want := reference(secret, pieces...)
		roads(t, func(_ testing.TB, road string) {
			if got := inPieces(newHMAC(secret), pieces...); got != want {
				rt.Fatalf("%s: signature is %s, want %s", road, got, want)
			}
		})
	})
}

// FuzzHMAC cuts a payload anywhere: the roads and the library agree.
func FuzzHMAC(f *testing.F) {
	f.Add([]byte("key"), []byte(""), uint16(0))
	f.Add([]byte("key"), bytes.Repeat([]byte("x"), 55), uint16(1))
	f.Add([]byte("key"), bytes.Repeat([]byte("x"), 56), uint16(56))
	f.Add(bytes.Repeat([]byte("k"), 65), bytes.Repeat([]byte("x"), 180), uint16(117))
	f.Fuzz(func(t *testing.T, secret, payload []byte, cut uint16) {
		at := min(int(cut), len(payload))
		want := reference(secret, payload)
		roads(t, func(t testing.TB, road string) {
			if got := inPieces(newHMAC(secret), payload[:at], payload[at:]); got != want {
				t.Fatalf("%s: signature is %s, want %s", road, got, want)
			}
		})
	})
}

func TestASignatureChangesNoState(t *testing.T) {
	roads(t, func(t testing.TB, road string) {
		h := newHMAC([]byte("key"))
		m := h.start()
		h.feed(&m, bytes.Repeat([]byte("x"), block))
		before, inner, outer := m, h.state().inner, h.state().outer
		h.appendFrom(nil, &m, []byte("rest"))
		if m != before || h.state().inner != inner || h.state().outer != outer {
			t.Errorf("%s: a signature changed the state it started from", road)
		}
	})
}

func TestAppendingASignatureKeepsWhatIsThere(t *testing.T) {
	roads(t, func(t testing.TB, road string) {
		h := newHMAC([]byte("key"))
		for _, room := range []int{0, 10, hmacDigits, 200} {
			dst := append(make([]byte, 0, 4+room), "sig="...)
			got := h.AppendREST(dst, []byte("payload"))
			if want := "sig=" + reference([]byte("key"), []byte("payload")); string(got) != want {
				t.Errorf("%s with room for %d: got %s, want %s", road, room, got, want)
			}
		}
	})
}

func TestAWipedSignerKeepsNothing(t *testing.T) {
	roads(t, func(t testing.TB, road string) {
		h := newHMAC([]byte("key"))
		h.AppendREST(nil, []byte("payload"))
		h.Wipe()
		s := h.state()
		if s.inner != (midstate{}) || s.outer != (midstate{}) || s.last != [2 * block]byte{} || s.soft.sum != [sha256.Size]byte{} ||
			!bytes.Equal(s.soft.text[:cap(s.soft.text)], make([]byte, cap(s.soft.text))) {
			t.Errorf("%s: a wiped signer still holds %+v", road, s)
		}
	})
}

func TestSigningDoesNotAllocate(t *testing.T) {
	roads(t, func(t testing.TB, road string) {
		s := hmacKey(t).Signer().(*hmacSigner)
		payload := []byte(strings.Repeat("x", 230))
		m := s.start()
		n := s.feed(&m, payload[:150])
		dst := make([]byte, 0, 64)
		if got := testing.AllocsPerRun(100, func() { dst = s.AppendREST(dst[:0], payload) }); got != 0 {
			t.Errorf("%s: a signature allocates %v times, want 0", road, got)
		}
		if got := testing.AllocsPerRun(100, func() { dst = s.appendFrom(dst[:0], &m, payload[n:]) }); got != 0 {
			t.Errorf("%s: a signature from a midstate allocates %v times, want 0", road, got)
		}
		if raceOn && !hardware {
			return // the race detector makes the library allocate
		}
		if got := testing.AllocsPerRun(100, func() { n = s.feed(&m, payload[:150]) }); got != 0 {
			t.Errorf("%s: a midstate allocates %v times, want 0", road, got)
		}
	})
}

// BenchmarkSignHMAC: whole is a payload of 180 bytes behind the key's midstates, rest
// one whose first 128 bytes have been hashed before.
func BenchmarkSignHMAC(b *testing.B) {
	payload := []byte(strings.Repeat("x", 180))
	bench := func(b *testing.B, hard bool) {
		was := hardware
		if hard && !was {
			b.Skip("this processor has no SHA extensions")
		}
		setHardware(hard)
		defer setHardware(was)
		s := hmacKey(b).Signer().(*hmacSigner)
		m := s.start()
		n := s.feed(&m, payload[:150])
		dst := make([]byte, 0, 64)
		want := string(s.AppendREST(nil, payload))
		b.Run("whole", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = s.AppendREST(dst[:0], payload)
			}
		})
		b.Run("rest", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = s.appendFrom(dst[:0], &m, payload[n:])
			}
		})
		if string(dst) != want {
			b.Fatalf("signature is %s, want %s", dst, want)
		}
	}
	b.Run("assembly", func(b *testing.B) { bench(b, true) })
	b.Run("library", func(b *testing.B) { bench(b, false) })
}
