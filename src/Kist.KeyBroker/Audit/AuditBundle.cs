using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Audit;

/// <summary>
/// An audit log as a file: a first line with the signed head and its key, then one line an entry. It is checked without
/// the broker; what makes the check strong is a key or an earlier head that the auditor kept.
/// </summary>
public static class AuditBundle
{
    /// <summary>Longest line in characters.</summary>
    public const int MaxLineLength = 4 * 1024 * 1024;

    private const int Page = 500;
    private const string Structure = "audit bundle";

    /// <summary>Writes the log of a broker, as of now.</summary>
    public static async Task<AuditTreeHead> ExportAsync(KeyBrokerAdminClient broker, TextWriter output, CancellationToken cancellationToken)
    {
        var key = await broker.GetAuditKeyAsync(cancellationToken).ConfigureAwait(false);
        var checkpoint = await broker.GetAuditCheckpointAsync(cancellationToken).ConfigureAwait(false);
        var head = await broker.GetAuditHeadAsync(cancellationToken).ConfigureAwait(false);
        await output.WriteAsync($"{WriteFirstLine(key, head, checkpoint)}\n").ConfigureAwait(false);
        for (var next = checkpoint?.Head.Size ?? 0; next < head.Size;)
        {
            var entries = await broker.ListAuditEntriesAsync(next, (int)Math.Min(Page, head.Size - next), cancellationToken).ConfigureAwait(false);
            if (entries.Count == 0 || entries[0].Sequence != next)
                throw new OperationFailedException("export the audit log", broker.ToString() ?? "", $"the broker gave {next} of {head.Size} entries");
            foreach (var entry in entries)
                await output.WriteAsync($"{Encoding.UTF8.GetString(KbsJson.Write(entry))}\n").ConfigureAwait(false);
            next += entries.Count;
        }

        return head;
    }

    /// <summary>Checks a file.</summary>
    /// <param name="input">The file.</param>
    /// <param name="key">The key that must have signed the head; null to believe the one in the file.</param>
    /// <param name="earlier">A head kept from before, which the log must still begin with; null for none.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="MalformedDataException">It is not such a file.</exception>
    public static async Task<AuditReport> VerifyAsync(TextReader input, JsonWebKey? key, AuditTreeHead? earlier, CancellationToken cancellationToken)
    {
        var first = await ReadLineAsync(input, cancellationToken).ConfigureAwait(false) ?? throw new MalformedDataException(Structure, 0, "it is empty");
        var (ownKey, head, checkpoint) = ReadFirstLine(first);
        var problems = new List<string>();
        if (key is not null && key.Thumbprint() != ownKey.Thumbprint())
            problems.Add("the head is signed with another key than the one that was given");
        if (!TreeHeads.Verify(head, ownKey))
            problems.Add("the head's signature is not valid");

        var tree = checkpoint is null ? new MerkleFrontier() : Begin(checkpoint, ownKey, problems);
        var begins = tree.Size;
        // A head over less than what was removed can be compared online only, by a proof of consistency.
        var earlierHolds = earlier is null || earlier.Size < begins ? (bool?)null : earlier.Size == 0 || (earlier.Size == begins && Convert.ToHexStringLower(tree.Root()) == earlier.Root);
        while (await ReadLineAsync(input, cancellationToken).ConfigureAwait(false) is { } line)
        {
            var entry = KbsJson.Read<AuditEntryDocument>(Encoding.UTF8.GetBytes(line), MaxLineLength * 4);
            if (entry.Sequence != tree.Size || SequenceOf(entry.Entry) != tree.Size)
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"where entry {tree.Size} should be there is entry {entry.Sequence}"));
            tree.Add(MerkleTree.LeafHash(Encoding.UTF8.GetBytes(entry.Entry)));
            if (earlier is not null && tree.Size == earlier.Size)
                earlierHolds = Convert.ToHexStringLower(tree.Root()) == earlier.Root;
        }

        if (tree.Size != head.Size)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"the entries end at {tree.Size}, but the head says {head.Size}"));
        else if (Convert.ToHexStringLower(tree.Root()) != head.Root)
            problems.Add("an entry was changed: the root over the entries is not the head's");
        if (earlierHolds == false)
            problems.Add("the log does not begin with the earlier head's entries: something was changed or removed since");
        return new AuditReport(begins, tree.Size - begins, head, ownKey.Thumbprint(), key is not null, earlierHolds, problems);
    }

    private static MerkleFrontier Begin(AuditCheckpointDocument checkpoint, JsonWebKey key, List<string> problems)
    {
        var tree = AuditCheckpoint.Frontier(checkpoint);
        if (!TreeHeads.Verify(checkpoint.Head, key))
            problems.Add("the checkpoint's signature is not valid");
        if (Convert.ToHexStringLower(tree.Root()) != checkpoint.Head.Root)
            problems.Add("the checkpoint's subtrees do not give its root");
        return tree;
    }

    private static string WriteFirstLine(JsonWebKey key, AuditTreeHead head, AuditCheckpointDocument? checkpoint)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("kist_audit_bundle"u8, 1);
            writer.WritePropertyName("key"u8);
            key.WriteTo(writer);
            writer.WritePropertyName("head"u8);
            writer.WriteRawValue(KbsJson.Write(head));
            if (checkpoint is not null)
            {
                writer.WritePropertyName("checkpoint"u8);
                writer.WriteRawValue(KbsJson.Write(checkpoint));
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static (JsonWebKey Key, AuditTreeHead Head, AuditCheckpointDocument? Checkpoint) ReadFirstLine(string line)
    {
        using var document = StrictJson.ParseObject(Encoding.UTF8.GetBytes(line), MaxLineLength, Structure);
        if (!document.RootElement.TryGetProperty("kist_audit_bundle", out var version) || version.ValueKind != JsonValueKind.Number || version.GetRawText() != "1"
            || !document.RootElement.TryGetProperty("key", out var key) || !document.RootElement.TryGetProperty("head", out var head))
            throw new MalformedDataException(Structure, 0, "its first line is not that of an audit bundle, version 1");
        T Read<T>(JsonElement element)
            where T : class => KbsJson.Read<T>(Encoding.UTF8.GetBytes(element.GetRawText()), MaxLineLength);
        return (JsonWebKey.Parse(key), Read<AuditTreeHead>(head), document.RootElement.TryGetProperty("checkpoint", out var checkpoint) ? Read<AuditCheckpointDocument>(checkpoint) : null);
    }

    private static long SequenceOf(string entry)
    {
        using var document = StrictJson.ParseObject(Encoding.UTF8.GetBytes(entry), MaxLineLength * 4, "audit entry");
        return document.RootElement.TryGetProperty("sequence", out var sequence) && sequence.ValueKind == JsonValueKind.Number && sequence.TryGetInt64(out var number)
            ? number
            : throw new MalformedDataException("audit entry", -1, "it has no \"sequence\"");
    }

    private static async Task<string?> ReadLineAsync(TextReader input, CancellationToken cancellationToken)
    {
        var line = await input.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        return line is { Length: > MaxLineLength } ? throw new MalformedDataException(Structure, -1, $"a line is longer than {MaxLineLength} characters") : line;
    }
}

/// <summary>What the check of an audit bundle found.</summary>
/// <param name="Begins">Number of entries that were removed before the first one in the file; 0 if none was.</param>
/// <param name="Entries">Number of entries read.</param>
/// <param name="Head">The head in the file.</param>
/// <param name="KeyThumbprint">RFC 7638 thumbprint of the key that signed it.</param>
/// <param name="KeyWasGiven">True if that key was compared with one that the auditor gave.</param>
/// <param name="EarlierHolds">True if the log begins with the earlier head's entries; null if none was given, or it is over fewer entries than were removed.</param>
/// <param name="Problems">What is wrong; empty if nothing is.</param>
public sealed record AuditReport(
    long Begins, long Entries, AuditTreeHead Head, string KeyThumbprint, bool KeyWasGiven, bool? EarlierHolds, IReadOnlyList<string> Problems)
{
    /// <summary>True if nothing is wrong.</summary>
    public bool Holds => Problems.Count == 0;
}
