using System.Globalization;
using System.Text;

namespace Kist.Images.Signatures;

/// <summary>
/// A log's signed word on its tree (C2SP tlog-checkpoint, a signed note): origin, size and root a line each, perhaps more, an empty
/// line, and lines of "— name base64(hint, signature)", of the log and perhaps of witnesses. Nothing of it has been verified.
/// </summary>
sealed class Checkpoint
{
    private const int MaxSignatures = 32;

    private readonly byte[] _signed;
    private readonly IReadOnlyList<(string Name, byte[] Signature)> _signatures;

    private Checkpoint(string text, string[] lines, long size, IReadOnlyList<(string Name, byte[] Signature)> signatures)
    {
        _signed = Encoding.UTF8.GetBytes(text);
        _signatures = signatures;
        (Origin, TreeSize, Root) = (lines[0], size, lines[2]);
    }

    /// <summary>What the log calls itself.</summary>
    public string Origin { get; }

    /// <summary>Leaves of the tree.</summary>
    public long TreeSize { get; }

    /// <summary>The root in base64, as it is written.</summary>
    public string Root { get; }

    /// <summary>Reads a checkpoint; null if it is none.</summary>
    public static Checkpoint? TryRead(string note)
    {
        var end = note.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0)
            return null;
        var text = note[..(end + 1)];
        var lines = text.Split('\n');
        return lines.Length >= 4 && long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? new Checkpoint(text, lines, size, [.. note[(end + 2)..].Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(MaxSignatures).Select(ReadSignature).OfType<(string, byte[])>()])
            : null;
    }

    /// <summary>True if a log signed it.</summary>
    public bool IsSignedBy(LogKey log) => _signatures.Any(s => log.VerifyNote(s.Name, _signed, s.Signature));

    private static (string Name, byte[] Signature)? ReadSignature(string line)
    {
        if (line.Split(' ') is not ["—", var name, var text])
            return null;
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? (name, bytes[..length]) : null;
    }
}
