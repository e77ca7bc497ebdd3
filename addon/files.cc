// SPDX-License-Identifier: GPL-2.0
// Files as another process sees them, for vFile with setfs.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <napi.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "bindings.h"

namespace ntrace
{

namespace
{

// A pipe without a writer, or a modem line, must not hold up the server.
constexpr int kAlways = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// openat2 refuses what means nothing for O_PATH.
int with_always(int flags)
{
	return flags | (flags & O_PATH ? O_CLOEXEC : kAlways);
}

bool same_file(const std::string &a, const std::string &b)
{
	struct stat x, y;
	return !stat(a.c_str(), &x) && !stat(b.c_str(), &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

// Where RESOLVE_IN_ROOT refuses magic links (/proc/PID/exe, /proc/self), a plain path follows
// them; so it is used wherever it means the same.
bool shares_our_root(pid_t pid)
{
	std::string proc = "/proc/" + std::to_string(pid);
	return !pid || (same_file(proc + "/root/", "/") &&
			same_file(proc + "/ns/mnt", "/proc/self/ns/mnt"));
}

// Descriptor or -errno.
int open_below(pid_t pid, const std::string &path, int flags, mode_t mode)
{
	int root = open(("/proc/" + std::to_string(pid) + "/root").c_str(),
			O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	open_how how = {};
	how.flags = uint64_t(unsigned(flags));
	how.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode & 07777 : 0;
	how.resolve = RESOLVE_IN_ROOT;
	long fd;
	do {
		fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN)); // EAGAIN: a rename raced with us
	int error = errno;
	close(root);
	return fd < 0 ? -error : int(fd);
}

int open_in_root(pid_t pid, const std::string &path, int flags, mode_t mode)
{
	if (!shares_our_root(pid))
		return open_below(pid, path, with_always(flags), mode);
	int fd;
	do {
		fd = open(path.c_str(), with_always(flags), mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int unlink_in_root(pid_t pid, const std::string &path)
{
	if (shares_our_root(pid))
		return unlink(path.c_str()) ? -errno : 0;
	size_t slash = path.rfind('/');
	std::string dir = slash == std::string::npos ? "/" : path.substr(0, slash + 1);
	std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
	int fd = open_below(pid, dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	int result = unlinkat(fd, name.c_str(), 0) ? -errno : 0;
	close(fd);
	return result;
}

ssize_t readlink_in_root(pid_t pid, const std::string &path, char *buf, size_t size)
{
	if (shares_our_root(pid)) {
		ssize_t got = readlink(path.c_str(), buf, size);
		return got < 0 ? -errno : got;
	}
	int fd = open_below(pid, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	struct stat st;
	ssize_t got = !fstat(fd, &st) && S_ISLNK(st.st_mode) ? readlinkat(fd, "", buf, size) : -1;
	ssize_t result = got >= 0 ? got : S_ISLNK(st.st_mode) ? -errno : -EINVAL;
	close(fd);
	return result;
}

int int_of(Napi::Value value)
{
	return value.ToNumber().Int32Value();
}
std::string text_of(Napi::Value value)
{
	return value.ToString().Utf8Value();
}

// A path with a NUL in it names nothing.
bool cut_short(const std::string &path)
{
	return path.find('\0') != std::string::npos;
}

Napi::Value js_open(const Napi::CallbackInfo &info)
{
	std::string path = text_of(info[1]);
	int result = cut_short(path) ? -EINVAL
				     : open_in_root(int_of(info[0]), path, int_of(info[2]),
						    mode_t(int_of(info[3])));
	return Napi::Number::New(info.Env(), result);
}

Napi::Value js_unlink(const Napi::CallbackInfo &info)
{
	std::string path = text_of(info[1]);
	int result = cut_short(path) ? -EINVAL : unlink_in_root(int_of(info[0]), path);
	return Napi::Number::New(info.Env(), result);
}

Napi::Value js_readlink(const Napi::CallbackInfo &info)
{
	std::string path = text_of(info[1]);
	char target[PATH_MAX];
	ssize_t got = cut_short(path)
			  ? -EINVAL
			  : readlink_in_root(int_of(info[0]), path, target, sizeof(target));
	if (got < 0)
		return Napi::Number::New(info.Env(), double(got));
	Napi::Uint8Array result = Napi::Uint8Array::New(info.Env(), size_t(got));
	memcpy(result.Data(), target, size_t(got));
	return result;
}

} // namespace

void export_files(Napi::Env env, Napi::Object exports)
{
	exports.Set("openInRoot", Napi::Function::New<js_open>(env, "openInRoot"));
	exports.Set("unlinkInRoot", Napi::Function::New<js_unlink>(env, "unlinkInRoot"));
	exports.Set("readlinkInRoot", Napi::Function::New<js_readlink>(env, "readlinkInRoot"));
}

} // namespace ntrace
