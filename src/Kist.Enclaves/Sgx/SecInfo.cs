using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// SECINFO: type and permissions of one page.
/// <code>
///   0   8  FLAGS     R 1, W 2, X 4, PENDING 8, MODIFIED 0x10, PR 0x20, page type in bits 8–15    Intel SDM vol. 3D, 36.11
///   8  56  reserved
/// </code>
/// </summary>
public sealed class SecInfo : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 64;

    /// <summary>FLAGS of a thread control page.</summary>
    public const ulong TcsPage = 0x100;

    /// <summary>FLAGS of a read-only page.</summary>
    public const ulong ReadOnlyPage = 0x201;

    /// <summary>FLAGS of a page of data.</summary>
    public const ulong ReadWritePage = 0x203;

    /// <summary>FLAGS of a page of code.</summary>
    public const ulong ReadExecutePage = 0x205;

    /// <summary>FLAGS of a page of self-modifying code.</summary>
    public const ulong ReadWriteExecutePage = 0x207;

    private const string Name = "SECINFO";

    /// <summary>Composes a structure.</summary>
    public SecInfo(ulong flags)
        : base(SizeInBytes) => Set(0, flags);

    private SecInfo(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>Parses a structure; reserved bytes must be zero.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static SecInfo Parse(ReadOnlySpan<byte> source)
    {
        var info = new SecInfo(source);
        if ((info.Flags & ~0xff3ful) != 0)
            throw new MalformedDataException(Name, 0, "FLAGS has unknown bits");
        info.RequireZero(Name, 8, 56, "reserved bytes");
        return info;
    }

    /// <summary>FLAGS.</summary>
    public ulong Flags => UInt64(0);

    /// <summary>FLAGS in letters, such as "r-x REG" or "--- TCS".</summary>
    public static string Describe(ulong flags)
    {
        var type = ((flags >> 8) & 0xff) switch
        {
            0 => "SECS",
            1 => "TCS",
            2 => "REG",
            3 => "VA",
            4 => "TRIM",
            var other => $"type {other}",
        };
        return $"{((flags & 1) != 0 ? 'r' : '-')}{((flags & 2) != 0 ? 'w' : '-')}{((flags & 4) != 0 ? 'x' : '-')} {type}";
    }
}
