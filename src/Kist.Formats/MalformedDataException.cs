namespace Kist.Formats;

/// <summary>
/// Bytes or text that do not follow their format. It is thrown for nothing else, and no parser in this house throws
/// anything else for such input.
/// </summary>
public sealed class MalformedDataException : FormatException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="structure">The structure being read, in the specification's words, such as "TDX quote header".</param>
    /// <param name="offset">Byte (or character) offset from the start of that input, or -1 where there is none.</param>
    /// <param name="reason">What is wrong, lower case, without a full stop.</param>
    /// <param name="inner">The error of the library that noticed it, if one did.</param>
    public MalformedDataException(string structure, long offset, string reason, Exception? inner = null)
        : base(offset < 0 ? $"{structure}: {reason}" : $"{structure} at offset {offset}: {reason}", inner)
    {
        Structure = structure;
        Offset = offset;
        Reason = reason;
    }

    /// <summary>The structure being read.</summary>
    public string Structure { get; }

    /// <summary>Offset from the start of the input, or -1 where there is none.</summary>
    public long Offset { get; }

    /// <summary>What is wrong.</summary>
    public string Reason { get; }
}
