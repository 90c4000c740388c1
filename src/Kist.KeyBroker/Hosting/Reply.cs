namespace Kist.KeyBroker.Hosting;

/// <summary>An answer.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="ContentType">Their type; null for an empty answer.</param>
/// <param name="Status">Its status.</param>
readonly record struct Reply(ReadOnlyMemory<byte> Body, string? ContentType, int Status = 200)
{
    /// <summary>200 without a body.</summary>
    public static Reply Empty => new(default, null);

    /// <summary>True if the body is wiped once it was sent.</summary>
    public bool IsSecret { get; private init; }

    /// <summary>A secret in clear, for a connection that ends in the TEE that may have it.</summary>
    public static Reply Secret(byte[] body) => new(body, "application/octet-stream") { IsSecret = true };

    public static Reply Json(ReadOnlyMemory<byte> body, int status = 200) => new(body, "application/json", status);
}
