using Kist.Linux;
using Kist.Linux.Isolation;

namespace Kist.Enclaves.Host;

/// <summary>
/// What programs of an enclave may ask of the kernel: what ordinary programs need. Opening and executing goes by the file
/// guard. Not allowed: whatever opens files past the guard (io_uring, handles, mounts, other namespaces), looks into
/// other processes, or reaches kernel interfaces that containers have no use for.
/// </summary>
static class SystemCallPolicy
{
    private const uint NewNamespaces = 0x7e020000; // CLONE_NEW*: NS, CGROUP, UTS, IPC, USER, PID, NET
    private const uint InsertInput = 0x5412; // TIOCSTI types into a terminal
    private const uint LinuxConsole = 0x541c; // TIOCLINUX pastes into a console
    private const uint VirtualMachineSockets = 40, KernelCrypto = 38; // AF_VSOCK, AF_ALG

    private static readonly SystemCall[] s_allowed =
    [
        SystemCall.read, SystemCall.write, SystemCall.close, SystemCall.stat, SystemCall.fstat, SystemCall.lstat, SystemCall.poll,
        SystemCall.lseek, SystemCall.mmap, SystemCall.mprotect, SystemCall.munmap, SystemCall.brk, SystemCall.rt_sigaction,
        SystemCall.rt_sigprocmask, SystemCall.rt_sigreturn, SystemCall.pread64, SystemCall.pwrite64, SystemCall.readv,
        SystemCall.writev, SystemCall.access, SystemCall.pipe, SystemCall.select, SystemCall.sched_yield, SystemCall.mremap,
        SystemCall.msync, SystemCall.mincore, SystemCall.madvise, SystemCall.shmget, SystemCall.shmat, SystemCall.shmctl,
        SystemCall.dup, SystemCall.dup2, SystemCall.pause, SystemCall.nanosleep, SystemCall.getitimer, SystemCall.alarm,
        SystemCall.setitimer, SystemCall.getpid, SystemCall.sendfile, SystemCall.connect, SystemCall.accept, SystemCall.sendto,
        SystemCall.recvfrom, SystemCall.sendmsg, SystemCall.recvmsg, SystemCall.shutdown, SystemCall.bind, SystemCall.listen,
        SystemCall.getsockname, SystemCall.getpeername, SystemCall.socketpair, SystemCall.setsockopt, SystemCall.getsockopt,
        SystemCall.fork, SystemCall.vfork, SystemCall.exit, SystemCall.wait4, SystemCall.kill, SystemCall.uname, SystemCall.semget,
        SystemCall.semop, SystemCall.semctl, SystemCall.shmdt, SystemCall.msgget, SystemCall.msgsnd, SystemCall.msgrcv,
        SystemCall.msgctl, SystemCall.fcntl, SystemCall.flock, SystemCall.fsync, SystemCall.fdatasync, SystemCall.ftruncate,
        SystemCall.getdents, SystemCall.getcwd, SystemCall.chdir, SystemCall.fchdir, SystemCall.rename, SystemCall.mkdir,
        SystemCall.rmdir, SystemCall.link, SystemCall.unlink, SystemCall.symlink, SystemCall.readlink, SystemCall.chmod,
        SystemCall.fchmod, SystemCall.chown, SystemCall.fchown, SystemCall.lchown, SystemCall.umask, SystemCall.gettimeofday,
        SystemCall.getrlimit, SystemCall.getrusage, SystemCall.sysinfo, SystemCall.times, SystemCall.getuid, SystemCall.getgid,
        SystemCall.setuid, SystemCall.setgid, SystemCall.geteuid, SystemCall.getegid, SystemCall.setpgid, SystemCall.getppid,
        SystemCall.getpgrp, SystemCall.setsid, SystemCall.setreuid, SystemCall.setregid, SystemCall.getgroups, SystemCall.setgroups,
        SystemCall.setresuid, SystemCall.getresuid, SystemCall.setresgid, SystemCall.getresgid, SystemCall.getpgid,
        SystemCall.setfsuid, SystemCall.setfsgid, SystemCall.getsid, SystemCall.capget, SystemCall.capset, SystemCall.rt_sigpending,
        SystemCall.rt_sigtimedwait, SystemCall.rt_sigqueueinfo, SystemCall.rt_sigsuspend, SystemCall.sigaltstack, SystemCall.utime,
        SystemCall.mknod, SystemCall.statfs, SystemCall.fstatfs, SystemCall.getpriority, SystemCall.setpriority,
        SystemCall.sched_setparam, SystemCall.sched_getparam, SystemCall.sched_setscheduler, SystemCall.sched_getscheduler,
        SystemCall.sched_get_priority_max, SystemCall.sched_get_priority_min, SystemCall.sched_rr_get_interval, SystemCall.mlock,
        SystemCall.munlock, SystemCall.mlockall, SystemCall.munlockall, SystemCall.prctl, SystemCall.arch_prctl,
        SystemCall.setrlimit, SystemCall.sync, SystemCall.gettid, SystemCall.readahead, SystemCall.setxattr, SystemCall.lsetxattr,
        SystemCall.fsetxattr, SystemCall.getxattr, SystemCall.lgetxattr, SystemCall.fgetxattr, SystemCall.listxattr,
        SystemCall.llistxattr, SystemCall.flistxattr, SystemCall.removexattr, SystemCall.lremovexattr, SystemCall.fremovexattr,
        SystemCall.tkill, SystemCall.time, SystemCall.futex, SystemCall.sched_setaffinity, SystemCall.sched_getaffinity,
        SystemCall.epoll_create, SystemCall.getdents64, SystemCall.set_tid_address, SystemCall.restart_syscall,
        SystemCall.semtimedop, SystemCall.fadvise64, SystemCall.timer_create, SystemCall.timer_settime, SystemCall.timer_gettime,
        SystemCall.timer_getoverrun, SystemCall.timer_delete, SystemCall.clock_gettime, SystemCall.clock_getres,
        SystemCall.clock_nanosleep, SystemCall.exit_group, SystemCall.epoll_wait, SystemCall.epoll_ctl, SystemCall.tgkill,
        SystemCall.utimes, SystemCall.mq_open, SystemCall.mq_unlink, SystemCall.mq_timedsend, SystemCall.mq_timedreceive,
        SystemCall.mq_notify, SystemCall.mq_getsetattr, SystemCall.waitid, SystemCall.ioprio_set, SystemCall.ioprio_get,
        SystemCall.inotify_init, SystemCall.inotify_add_watch, SystemCall.inotify_rm_watch, SystemCall.mkdirat, SystemCall.mknodat,
        SystemCall.fchownat, SystemCall.futimesat, SystemCall.newfstatat, SystemCall.unlinkat, SystemCall.renameat,
        SystemCall.linkat, SystemCall.symlinkat, SystemCall.readlinkat, SystemCall.fchmodat, SystemCall.faccessat,
        SystemCall.pselect6, SystemCall.ppoll, SystemCall.set_robust_list, SystemCall.get_robust_list, SystemCall.splice,
        SystemCall.tee, SystemCall.sync_file_range, SystemCall.utimensat, SystemCall.epoll_pwait, SystemCall.signalfd,
        SystemCall.timerfd_create, SystemCall.eventfd, SystemCall.fallocate, SystemCall.timerfd_settime, SystemCall.timerfd_gettime,
        SystemCall.accept4, SystemCall.signalfd4, SystemCall.eventfd2, SystemCall.epoll_create1, SystemCall.dup3, SystemCall.pipe2,
        SystemCall.inotify_init1, SystemCall.preadv, SystemCall.pwritev, SystemCall.rt_tgsigqueueinfo, SystemCall.recvmmsg,
        SystemCall.prlimit64, SystemCall.syncfs, SystemCall.sendmmsg, SystemCall.getcpu, SystemCall.sched_setattr,
        SystemCall.sched_getattr, SystemCall.renameat2, SystemCall.seccomp, SystemCall.getrandom, SystemCall.memfd_create,
        SystemCall.membarrier, SystemCall.mlock2, SystemCall.copy_file_range, SystemCall.preadv2, SystemCall.pwritev2,
        SystemCall.pkey_mprotect, SystemCall.pkey_alloc, SystemCall.pkey_free, SystemCall.statx, SystemCall.rseq,
        SystemCall.pidfd_send_signal, SystemCall.pidfd_open, SystemCall.close_range, SystemCall.faccessat2, SystemCall.epoll_pwait2,
        SystemCall.landlock_create_ruleset, SystemCall.landlock_add_rule, SystemCall.landlock_restrict_self,
        SystemCall.memfd_secret, SystemCall.futex_waitv, SystemCall.fchmodat2, SystemCall.futex_wake, SystemCall.futex_wait,
        SystemCall.futex_requeue, SystemCall.mseal, SystemCall.cachestat,
    ];

    private static readonly SystemCall[] s_refused =
    [
        SystemCall.chroot, SystemCall.pivot_root, SystemCall.mount, SystemCall.umount2, SystemCall.unshare, SystemCall.setns,
        SystemCall.open_by_handle_at, SystemCall.name_to_handle_at, SystemCall.ptrace, SystemCall.process_vm_readv,
        SystemCall.process_vm_writev, SystemCall.bpf, SystemCall.perf_event_open, SystemCall.userfaultfd, SystemCall.keyctl,
        SystemCall.add_key, SystemCall.request_key, SystemCall.personality, SystemCall.syslog, SystemCall.reboot,
        SystemCall.init_module, SystemCall.finit_module, SystemCall.delete_module, SystemCall.kexec_load,
        SystemCall.kexec_file_load, SystemCall.swapon, SystemCall.swapoff, SystemCall.acct, SystemCall.quotactl,
        SystemCall.settimeofday, SystemCall.clock_settime, SystemCall.clock_adjtime, SystemCall.adjtimex, SystemCall.sethostname,
        SystemCall.setdomainname, SystemCall.iopl, SystemCall.ioperm, SystemCall.vhangup, SystemCall.fanotify_init,
        SystemCall.pidfd_getfd, SystemCall.kcmp, SystemCall.lookup_dcookie, SystemCall.move_mount, SystemCall.open_tree,
        SystemCall.fsopen, SystemCall.fsmount, SystemCall.fspick, SystemCall.mount_setattr,
    ];

    /// <summary>The calls that the file guard answers.</summary>
    public static IReadOnlyList<SystemCall> Guarded { get; } =
    [
        SystemCall.open, SystemCall.openat, SystemCall.openat2, SystemCall.creat, SystemCall.truncate, SystemCall.execve,
        SystemCall.execveat,
    ];

    public static SeccompFilter Create()
    {
        var filter = new SeccompFilter();
        foreach (var call in Guarded)
            filter.Notify(call);
        filter.RefuseBits(SystemCall.clone, 0, NewNamespaces, Errno.EPERM)
            .RefuseValue(SystemCall.ioctl, 1, [InsertInput, LinuxConsole], Errno.EPERM)
            .RefuseValue(SystemCall.socket, 0, [VirtualMachineSockets, KernelCrypto], Errno.EPERM);
        foreach (var call in s_allowed)
            filter.AllowCall(call);
        foreach (var call in s_refused)
            filter.Refuse(call, Errno.EPERM);
        return filter;
    }
}
