// A PKCS #11 library that hands every call on to a real one (FAULT_LIBRARY), and fails
// in the way that files in a folder (FAULT_DIR) name:
//   gone       while it is there, no token is seen and calls say CKR_DEVICE_REMOVED
//   last-try   while it is there, tokens say CKF_USER_PIN_FINAL_TRY
//   sign, login, sign-init, load: the word in it is done once, and the file removed:
//              segv, abort, hang, removed, session
// Each PIN presented and each signature made adds a byte to the files logins and signs.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CK_PTR *
#define NULL_PTR 0
#define CK_DEFINE_FUNCTION(returnType, name) returnType name
#define CK_DECLARE_FUNCTION(returnType, name) returnType name
#define CK_DECLARE_FUNCTION_POINTER(returnType, name) returnType(*name)
#define CK_CALLBACK_FUNCTION(returnType, name) returnType(*name)
#include "pkcs11.h"

static CK_FUNCTION_LIST mine;
static CK_FUNCTION_LIST_PTR real;

static void path(char *out, size_t size, const char *name) { snprintf(out, size, "%s/%s", getenv("FAULT_DIR"), name); }

static int present(const char *name) {
	char file[512];
	path(file, sizeof file, name);
	return access(file, F_OK) == 0;
}

static void count(const char *name) {
	char file[512];
	path(file, sizeof file, name);
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd >= 0) {
		if (write(fd, ".", 1) != 1)
			abort();
		close(fd);
	}
}

// once does what the file name says. It takes the file away first, by a rename, so that
// one of several threads does it.
static CK_RV once(const char *name) {
	char file[512], taken[600], word[16] = "";
	path(file, sizeof file, name);
	snprintf(taken, sizeof taken, "%s.done", file);
	if (rename(file, taken) != 0)
		return CKR_OK;
	FILE *f = fopen(taken, "r");
	if (f == NULL || fscanf(f, "%15s", word) != 1)
		abort();
	fclose(f);
	if (strcmp(word, "segv") == 0)
		*(volatile int *)8 = 1;
	if (strcmp(word, "abort") == 0)
		abort();
	if (strcmp(word, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(word, "removed") == 0)
		return CKR_DEVICE_REMOVED;
	if (strcmp(word, "session") == 0)
		return CKR_SESSION_HANDLE_INVALID;
	return CKR_GENERAL_ERROR;
}

static CK_RV slots(CK_BBOOL with, CK_SLOT_ID_PTR list, CK_ULONG_PTR n) {
	if (present("gone")) {
		*n = 0;
		return CKR_OK;
	}
	return real->C_GetSlotList(with, list, n);
}

static CK_RV token(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
	if (present("gone"))
		return CKR_DEVICE_REMOVED;
	CK_RV rv = real->C_GetTokenInfo(slot, info);
	if (rv == CKR_OK && present("last-try"))
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	return rv;
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE u, CK_UTF8CHAR_PTR pin, CK_ULONG n) {
	count("logins");
	CK_RV rv = once("login");
	return rv != CKR_OK ? rv : real->C_Login(s, u, pin, n);
}

static CK_RV init(CK_SESSION_HANDLE s, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE k) {
	if (present("gone"))
		return CKR_DEVICE_REMOVED;
	CK_RV rv = once("sign-init");
	return rv != CKR_OK ? rv : real->C_SignInit(s, m, k);
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR value, CK_ULONG_PTR size) {
	if (value == NULL_PTR) // asks for the length alone
		return real->C_Sign(s, data, n, value, size);
	CK_RV rv = once("sign");
	if (rv != CKR_OK)
		return rv;
	count("signs");
	printf("noise on the standard output\n");
	fflush(stdout);
	rv = real->C_Sign(s, data, n, value, size);
	CK_RV late = once("signed"); // the key was used, the answer is lost
	return late != CKR_OK ? late : rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
	once("load");
	void *lib = dlopen(getenv("FAULT_LIBRARY"), RTLD_NOW);
	if (lib == NULL)
		return CKR_GENERAL_ERROR;
	CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = (CK_RV(*)(CK_FUNCTION_LIST_PTR_PTR))dlsym(lib, "C_GetFunctionList");
	CK_RV rv = get(&real);
	if (rv != CKR_OK)
		return rv;
	mine = *real;
	mine.C_GetSlotList = slots;
	mine.C_GetTokenInfo = token;
	mine.C_Login = login;
	mine.C_SignInit = init;
	mine.C_Sign = sign;
	*list = &mine;
	return CKR_OK;
}
