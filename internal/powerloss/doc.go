// Package powerloss is a disk for tests whose power can be cut. It is mounted as a file
// system by FUSE, so that a real process keeps real files on it, and holds apart what
// that process has written and what it has made durable: fsync of a file for its bytes
// and its length, fsync of a directory for the names in it. When the power goes, each
// sector written since may be there or not, and each name made, moved or removed since.
//
// It promises no more than POSIX does. That a file of which the bytes are durable has
// its name, that names in two directories come in order, that a later write implies an
// earlier one: many file systems keep these, and nothing here does. Two things are kept
// because every journalling file system keeps them: names of one directory change in
// the order in which they were changed, and a rename is done whole or not at all.
package powerloss
