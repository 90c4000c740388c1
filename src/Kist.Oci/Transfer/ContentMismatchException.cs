using Kist.Formats;

namespace Kist.Oci;

/// <summary>Content is not what its digest, length or diff_id says. Trying again will not help unless the source heals.</summary>
public sealed class ContentMismatchException : OperationFailedException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="location">Where the content came from.</param>
    /// <param name="expected">The digest that was expected.</param>
    /// <param name="reason">What is different.</param>
    public ContentMismatchException(string location, Digest expected, string reason)
        : base("verify content", $"{location} {expected}", reason, "do not use this image: pull it from a source that you trust, or push it again") =>
        Expected = expected;

    /// <summary>The digest that was expected.</summary>
    public Digest Expected { get; }
}
