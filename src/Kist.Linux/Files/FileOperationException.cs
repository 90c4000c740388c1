using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux.Files;

/// <summary>Turns errno into this house's exception.</summary>
static class FileErrno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int NoSpace = 28;
    public const int Loop = 40;
    public const int NotSupported = 95;
    public const int Quota = 122;

    public static OperationFailedException Failure(string step, ReadOnlySpan<byte> subject, int errno) =>
        Failure(step, System.Text.Encoding.UTF8.GetString(subject), errno);

    public static OperationFailedException Failure(string step, string subject, int errno) => new FileOperationException(
        step, subject, Marshal.GetPInvokeErrorMessage(errno).ToLowerInvariant(), HintFor(errno), errno);

    private static string? HintFor(int errno) => errno switch
    {
        NoSpace or Quota => "free some space, or choose another directory or a larger scratch disk",
        NotPermitted => "run as root, or leave owners and devices out",
        Loop => "a symbolic link loop, or a link where none is allowed",
        _ => null,
    };
}

/// <summary>A failed system call on a file; <see cref="Number"/> is its errno.</summary>
public sealed class FileOperationException : OperationFailedException
{
    internal FileOperationException(string step, string subject, string reason, string? hint, int errno)
        : base(step, subject, reason, hint) => Number = errno;

    /// <summary>The errno value.</summary>
    public int Number { get; }

    /// <summary>True if something of that name exists.</summary>
    public bool AlreadyExists => Number == FileErrno.Exists;

    /// <summary>True if the disk or the quota is full.</summary>
    public bool IsOutOfSpace => Number is FileErrno.NoSpace or FileErrno.Quota;
}
