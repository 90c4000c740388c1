namespace Kist.KeyBroker.Hosting;

/// <summary>An answer.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="ContentType">Their type; null for an empty answer.</param>
/// <param name="Status">Its status.</param>
readonly record struct Reply(ReadOnlyMemory<byte> Body, string? ContentType, int Status = 200)
{
    /// <summary>200 without a body.</summary>
    public static Reply Empty => new(default, null);

    public static Reply Json(ReadOnlyMemory<byte> body, int status = 200) => new(body, "application/json", status);
}
