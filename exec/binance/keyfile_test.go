package binance

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func edPEM(t testing.TB) string {
	t.Helper()
	seed, err := hex.DecodeString(rfcSeed)
	if err != nil {
		t.Fatal(err)
	}
	return pkcs8(t, ed25519.NewKeyFromSeed(seed))
}

func TestKeyFileIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("# test key\n api_key = \""+docAPIKey+"\"\r\n\nsecret=\""+docSecret+"\"", 0o600)
	k, err := LoadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(k.Signer().AppendREST(nil, []byte("symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"))); got != "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71" {
		t.Errorf("signature of the loaded key is %s", got)
	}
	write(edPEM(t)+"api_key = \"test-key\"\n", 0o400)
	if k, err = LoadKeyFile(path); err != nil {
		t.Fatal(err)
	}
	if got := string(k.Signer().AppendWS(nil, []byte("apiKey=test-key&timestamp=1649729878532"))); k.Kind() != KeyEd25519 || !strings.HasPrefix(got, "tuYYP5HsC7Xo8QWXHwy7") {
		t.Errorf("%s signature of the loaded key is %s", k.Kind(), got)
	}
}

func TestKeyFileMustBeOurs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte("api_key = \"a\"\nsecret = \"b\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	check := func(path, want string) {
		t.Helper()
		_, err := LoadKeyFile(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names the file and %q", path, err, want)
		}
	}
	check(link, "symbolic link")
	check(dir, "regular file")
	check(filepath.Join(dir, "absent"), "no such file")
	for _, mode := range []os.FileMode{0o644, 0o640, 0o606, 0o700, 0o200} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if mode == 0o200 && os.Geteuid() != 0 {
			check(path, "permission denied")
			continue
		}
		check(path, "want 0600 or 0400")
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Log("left out: a file of another user (needs root)")
		return
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	check(path, "owner 12345")
}

func TestKeyFileMustLieWhereOnlyItsOwnerWrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte("api_key = \"a\"\nsecret = \"b\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o700: "", 0o755: "", 0o500: "", 0o770: "mode 0770", 0o702: "mode 0702", os.ModeSticky | 0o777: "mode 1777"} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKeyFile(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), "its folder with "+want) {
			t.Errorf("folder of mode %v: got %v, want %q", mode, err, want)
		}
	}
}

func TestKeysAreLookedForInOrder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil && os.Geteuid() != 0 {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	file := filepath.Join(t.TempDir(), "key")
	put := func(path, api string, mode os.FileMode) {
		t.Helper()
		_ = os.Remove(path)
		_ = os.Chmod(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, []byte("api_key = \""+api+"\"\nsecret = \"b\"\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	check := func(s KeySource, want, where string) {
		t.Helper()
		k, at, err := LoadKey(s)
		if err != nil || string(k.api.bytes()) != want || !strings.HasPrefix(at, where) {
			t.Errorf("%+v: got key %v from %q, %v; want that of %s", s, k, at, err, where)
		}
	}
	t.Setenv(EnvAPIKey, "env")
	t.Setenv(EnvSecret, "b")
	put(file, "file", 0o600)
	all := KeySource{Credentials: dir, Credential: "riposte", File: file, Environment: true}
	check(all, "file", "key file ")
	put(filepath.Join(dir, "riposte"), "cred", 0o440) // as with an access list of the manager's
	check(all, "cred", "credential ")
	put(filepath.Join(dir, "riposte"), "cred", 0o644)
	if _, _, err := LoadKey(all); err == nil || !strings.Contains(err.Error(), "mode 0644") {
		t.Errorf("credential for everybody: got %v, want it refused and no other place asked", err)
	}
	all.Credentials, all.File = "", ""
	check(all, "env", "environment")
	if _, _, err := LoadKey(KeySource{}); err == nil {
		t.Error("found a key in no place")
	}
}

func TestAPEMBlockMayComeFromTheEnvironment(t *testing.T) {
	t.Setenv(EnvAPIKey, "k")
	t.Setenv(EnvSecret, edPEM(t))
	if k, err := LoadKeyEnv(EnvAPIKey, EnvSecret); err != nil || k.Kind() != KeyEd25519 {
		t.Errorf("got %v, %v, want an Ed25519 key", k, err)
	}
}

func TestGeneratedKeysLoadOnceTheAPIKeyIsIn(t *testing.T) {
	for _, kind := range []KeyKind{KeyEd25519, KeyRSA} {
		path := filepath.Join(t.TempDir(), "key")
		public, err := GenerateKeyFile(path, kind, 2048)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeyFile(path); err == nil || !strings.Contains(err.Error(), "placeholder") {
			t.Errorf("%s: got %v, want the placeholder named", kind, err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), apiKeyPlaceholder, "abc", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := LoadKeyFile(path)
		if err != nil || k.Kind() != kind {
			t.Fatalf("%s: got %v, %v", kind, k, err)
		}
		if got, err := k.PublicPEM(); err != nil || got != public {
			t.Errorf("%s: public half is %s, want %s", kind, got, public)
		}
		if _, err := GenerateKeyFile(path, kind, 2048); err == nil || !strings.Contains(err.Error(), "exists") {
			t.Errorf("%s: got %v, want a key that exists kept", kind, err)
		}
	}
	if _, err := GenerateKeyFile(filepath.Join(t.TempDir(), "k"), KeyRSA, 1024); err == nil {
		t.Error("an RSA key of 1024 bits was made")
	}
	if _, err := GenerateKeyFile(filepath.Join(t.TempDir(), "k"), KeyHMAC, 0); err == nil {
		t.Error("an HMAC key was made")
	}
}

func TestKeyTextErrorsNameTheLineAndNoValue(t *testing.T) {
	const canary = "CANARYSECRET"
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	api := "api_key = \"k\"\n"
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "found no api_key"},
		{"no secret", api, "found neither secret nor PEM"},
		{"no api key", "secret = \"" + canary + "\"", "found no api_key"},
		{"both", api + "secret = \"" + canary + "\"\n" + edPEM(t), "want one of them"},
		{"twice", api + api, "line 2: found api_key a second time"},
		{"unknown name", api + "passphrase = \"" + canary + "\"", "line 2: found a name"},
		{"no quotes", api + "secret = " + canary, "line 2: value is empty or not between"},
		{"empty value", api + "secret = \"\"", "line 2: value is empty"},
		{"quote inside", api + "secret = \"" + canary + "\"x\"", "line 2"},
		{"no equals", api + "\n" + canary, "line 3: found no \"=\""},
		{"blank inside", api + "secret = \"" + canary + " x\"", "character 13 is a blank"},
		{"cut PEM", api + "-----BEGIN PRIVATE KEY-----\n" + canary, "line 2: found a PEM block that cannot be read"},
		{"two PEMs", api + edPEM(t) + edPEM(t), "line 5: found a second PEM"},
		{"wrong PEM", api + strings.ReplaceAll(edPEM(t), "PRIVATE", "PUBLIC"), "another type"},
		{"small RSA", api + pkcs8(t, small), "found 1024 bits, want 2048 to 4096"},
		{"placeholder", "api_key = \"" + apiKeyPlaceholder + "\"\n" + edPEM(t), "found the placeholder"},
		{"encrypted", api + "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"},
		{"ECDSA", api + pkcs8(t, ecKey), "another algorithm"},
		{"not PKCS#8", api + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(canary)})), "not PKCS#8"},
	} {
		_, err := ParseKey([]byte(tc.text))
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestKeyFromEnvironmentIsRemovedFromIt(t *testing.T) {
	t.Setenv("RIPOSTE_TEST_KEY", "api")
	if _, err := LoadKeyEnv("RIPOSTE_TEST_KEY", "RIPOSTE_TEST_SECRET"); err == nil || os.Getenv("RIPOSTE_TEST_KEY") == "" {
		t.Errorf("half a key: %v", err)
	}
	t.Setenv("RIPOSTE_TEST_SECRET", "secret")
	k, err := LoadKeyEnv("RIPOSTE_TEST_KEY", "RIPOSTE_TEST_SECRET")
	if err != nil || k.Kind() != KeyHMAC {
		t.Fatal(k, err)
	}
	if os.Getenv("RIPOSTE_TEST_KEY") != "" || os.Getenv("RIPOSTE_TEST_SECRET") != "" {
		t.Error("the key is still in the environment")
	}
}

// FuzzKeyText: no panic, and no error shows a value.
func FuzzKeyText(f *testing.F) {
	f.Add([]byte("api_key = \"" + docAPIKey + "\"\nsecret = \"" + docSecret + "\"\n"))
	f.Add([]byte("# c\napi_key=\"k\"\n" + edPEM(f)))
	f.Add([]byte("api_key = \"k\"\nsecret = \"x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParseKey(text)
		if (k == nil) == (err == nil) {
			t.Fatalf("got key %v and error %v", k, err)
		}
		if err != nil && strings.Contains(err.Error(), docSecret) {
			t.Fatal("the error shows the secret")
		}
		if k != nil && len(k.Signer().AppendREST(nil, []byte("a=b"))) < 64 {
			t.Fatal("the key does not sign")
		}
	})
}
