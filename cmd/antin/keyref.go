package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/softkey"
)

// maxKeyFile bounds what is read as a key, a certificate or a password, in bytes.
const maxKeyFile = 4 << 20

// loadKey opens the key that ref names: p12:PATH, pem:CERT,KEY or a pkcs11: URI. The
// password comes from passwordFile, else from ANTIN_KEY_PASSWORD, else from a prompt.
func loadKey(e *env, ref, passwordFile string) (signer.Key, error) {
	kind, rest, ok := strings.Cut(ref, ":")
	if !ok || rest == "" {
		return signer.Key{}, text.Detailed(text.InvalidInput, nil, "cli.key_ref", ref)
	}
	switch kind {
	case "pkcs11":
		return tokenKey(e, ref, passwordFile)
	case "p12":
		data, err := readKeyFile(rest)
		if err != nil {
			return signer.Key{}, err
		}
		return withPassword(e, passwordFile, true, func(pw string) (signer.Key, error) { return softkey.FromPKCS12(data, pw) })
	case "pem":
		certPath, keyPath, ok := strings.Cut(rest, ",")
		if !ok || certPath == "" || keyPath == "" {
			return signer.Key{}, text.Detailed(text.InvalidInput, nil, "cli.key_ref", ref)
		}
		cert, err := readKeyFile(certPath)
		if err != nil {
			return signer.Key{}, err
		}
		key, err := readKeyFile(keyPath)
		if err != nil {
			return signer.Key{}, err
		}
		encrypted := bytes.Contains(key, []byte("ENCRYPTED"))
		return withPassword(e, passwordFile, encrypted, func(pw string) (signer.Key, error) { return softkey.FromPEM(cert, key, pw) })
	}
	return signer.Key{}, text.Detailed(text.InvalidInput, nil, "cli.key_ref", ref)
}

// withPassword finds the password and opens the key with it, once: a wrong
// password is never tried again.
func withPassword(e *env, passwordFile string, needed bool, open func(string) (signer.Key, error)) (signer.Key, error) {
	if !needed && passwordFile == "" {
		return open("")
	}
	pw, err := readPassword(e, passwordFile)
	if err != nil {
		return signer.Key{}, err
	}
	return open(pw)
}

func readPassword(e *env, file string) (string, error) {
	return readSecret(e, file, text.Get("cli.password_prompt"))
}

// readSecret reads a password or PIN from file, else from ANTIN_KEY_PASSWORD, else
// from the terminal behind prompt.
func readSecret(e *env, file string, prompt text.Message) (string, error) {
	if file != "" {
		data, err := readKeyFile(file)
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	if pw, ok := os.LookupEnv("ANTIN_KEY_PASSWORD"); ok {
		return pw, nil
	}
	if e.noInput || !term.IsTerminal(int(e.in.Fd())) {
		return "", text.Detailed(text.KeyLocked, nil, "cli.no_password")
	}
	fmt.Fprint(e.err, prompt.In(e.lang))
	pw, err := term.ReadPassword(int(e.in.Fd()))
	fmt.Fprintln(e.err)
	if err != nil {
		return "", text.Errorf(text.KeyLocked, err)
	}
	return string(pw), nil
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, text.Detailed(text.KeyNotFound, err, "cli.path", path)
		}
		return nil, inputError(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, inputError(path, err)
	}
	if len(data) > maxKeyFile {
		return nil, text.Detailed(text.TooLarge, nil, "cli.path", path)
	}
	return data, nil
}
