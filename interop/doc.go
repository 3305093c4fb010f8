// Package interop holds tests against other people's implementations: PDF tools,
// signers, validators and OpenSSL judge what this module makes, and it judges
// what they make. The tests carry the build tag interop and need the tools that
// README.md lists; a tool that is missing fails them.
package interop
