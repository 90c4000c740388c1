using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux;

/// <summary>A system call that failed.</summary>
public sealed class SystemCallException : OperationFailedException
{
    /// <summary>A failure as the kernel, or what takes its place, gives it.</summary>
    /// <param name="step">What was being done.</param>
    /// <param name="subject">To what.</param>
    /// <param name="errno">The error number.</param>
    public SystemCallException(string step, string subject, int errno)
        : base(step, subject, $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})", isTransient: errno is Linux.Errno.EAGAIN or Linux.Errno.EBUSY)
    {
        Errno = errno;
    }

    /// <summary>The error number: one of <see cref="Linux.Errno"/> or another of the kernel's.</summary>
    public int Errno { get; }

    /// <summary>The failure of the call just made on this thread.</summary>
    internal static SystemCallException Last(string step, string subject) => new(step, subject, Marshal.GetLastPInvokeError());

    /// <summary>Throws unless a call returned 0 or more.</summary>
    internal static int Check(int result, string step, string subject) => result >= 0 ? result : throw Last(step, subject);
}
