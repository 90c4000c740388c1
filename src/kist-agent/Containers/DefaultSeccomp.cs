using System.Text.Json;

namespace Kist.Agent.Containers;

/// <summary>
/// The system calls that a container may make: those that programs need, as docker's default profile has them for
/// containers without added capabilities. Whatever is not named answers EPERM; among the absent are module loading, mounts,
/// keyrings, kexec, bpf, perf, ptrace of others' memory, reboot, setting the clock, io_uring and user namespaces.
/// </summary>
static class DefaultSeccomp
{
    private const int EPerm = 1, ENoSys = 38;

    /// <summary>Creating a namespace by clone; each of the CLONE_NEW* bits.</summary>
    private const ulong NamespaceFlags = 0x7e020000;

    /// <summary>socket(2) families that are refused: vsock would reach the host past the agent, AF_ALG the kernel's cryptography.</summary>
    private const ulong AlgFamily = 38, VsockFamily = 40;

    private static readonly string[] Allowed =
        """
        accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres
        clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
        epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group
        faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
        fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue
        futex_wait futex_waitv futex_wake futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents
        getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority
        getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr
        inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
        io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
        landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat
        madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
        mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget
        msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause
        pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2
        prlimit64 process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom
        recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
        rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
        sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
        sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select
        semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address
        setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit
        setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair
        splice stat statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create
        timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times
        tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev chroot
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    public static void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("seccomp");
        json.WriteString("defaultAction", "SCMP_ACT_ERRNO");
        json.WriteNumber("defaultErrnoRet", EPerm);
        json.WriteStartArray("architectures");
        json.WriteStringValue("SCMP_ARCH_X86_64");
        json.WriteEndArray();
        json.WriteStartArray("syscalls");
        Rule(json, Allowed, "SCMP_ACT_ALLOW");
        // Two conditions on one argument are alternatives for the kernel's filter only as two rules; a family below,
        // between or above the refused ones is one rule each.
        Rule(json, ["socket"], "SCMP_ACT_ALLOW", (0, AlgFamily, null, "SCMP_CMP_LT"));
        Rule(json, ["socket"], "SCMP_ACT_ALLOW", (0, AlgFamily + 1, null, "SCMP_CMP_EQ"));
        Rule(json, ["socket"], "SCMP_ACT_ALLOW", (0, VsockFamily, null, "SCMP_CMP_GT"));
        Rule(json, ["clone"], "SCMP_ACT_ALLOW", (0, NamespaceFlags, 0, "SCMP_CMP_MASKED_EQ"));
        // Its flags lie in memory, where a filter cannot look: programs fall back to clone.
        Rule(json, ["clone3"], "SCMP_ACT_ERRNO", errno: ENoSys);
        // Personalities that programs ask for: Linux, Linux with 32-bit uname, reading the present one.
        foreach (var personality in (ulong[])[0x0, 0x8, 0x20000, 0x20008, 0xffffffff])
            Rule(json, ["personality"], "SCMP_ACT_ALLOW", (0, personality, null, "SCMP_CMP_EQ"));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Rule(Utf8JsonWriter json, IEnumerable<string> names, string action, (int Index, ulong Value, ulong? ValueTwo, string Operator)? argument = null, int? errno = null)
    {
        json.WriteStartObject();
        json.WriteStartArray("names");
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteString("action", action);
        if (errno is { } number)
            json.WriteNumber("errnoRet", number);
        if (argument is { } a)
        {
            json.WriteStartArray("args");
            json.WriteStartObject();
            json.WriteNumber("index", a.Index);
            json.WriteNumber("value", a.Value);
            if (a.ValueTwo is { } two)
                json.WriteNumber("valueTwo", two);
            json.WriteString("op", a.Operator);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
