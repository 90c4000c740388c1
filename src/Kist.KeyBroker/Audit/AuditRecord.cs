using System.Text.Json;
using Kist.KeyBroker.Hosting;

namespace Kist.KeyBroker.Audit;

/// <summary>A decision to be recorded.</summary>
sealed record AuditRecord
{
    /// <summary>What was decided: "attest", "resource.read", "policy.set", …</summary>
    public required string Kind { get; init; }

    /// <summary>"allowed", "denied" or "failed".</summary>
    public required string Outcome { get; init; }

    /// <summary>The request's correlation id.</summary>
    public required string Correlation { get; init; }

    /// <summary>The stable code of a refusal, or null.</summary>
    public string? Code { get; init; }

    /// <summary>What the operator is told and the peer is not.</summary>
    public string? Detail { get; init; }

    /// <summary>The tenant that it concerns, or null.</summary>
    public string? Tenant { get; init; }

    /// <summary>The TEE, or null.</summary>
    public string? Tee { get; init; }

    /// <summary>Path of the secret, scope of the policy, name of the reference value; or null.</summary>
    public string? Resource { get; init; }

    /// <summary>Thumbprint of the guest's key, or null.</summary>
    public string? Workload { get; init; }

    /// <summary>The administrator's name, or null.</summary>
    public string? Actor { get; init; }

    /// <summary>The peer's address, or null.</summary>
    public string? Peer { get; init; }

    /// <summary>Further members, written into the entry as they are.</summary>
    public Action<Utf8JsonWriter>? More { get; init; }

    /// <summary>Documents that the entry names by their SHA-256: the verdict, the evidence.</summary>
    public IReadOnlyList<AuditAttachment> Attachments { get; init; } = [];

    /// <summary>The entry's bytes, which are the leaf of the tree.</summary>
    public byte[] Write(long sequence, DateTimeOffset at) => JsonBytes.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("sequence"u8, sequence);
        writer.WriteString("at"u8, at);
        writer.WriteString("kind"u8, Kind);
        writer.WriteString("outcome"u8, Outcome);
        writer.WriteString("correlation"u8, Correlation);
        Optional(writer, "code", Code);
        Optional(writer, "detail", Detail);
        Optional(writer, "tenant", Tenant);
        Optional(writer, "tee", Tee);
        Optional(writer, "resource", Resource);
        Optional(writer, "workload", Workload);
        Optional(writer, "actor", Actor);
        Optional(writer, "peer", Peer);
        More?.Invoke(writer);
        if (Attachments.Count > 0)
        {
            writer.WriteStartObject("attachments"u8);
            foreach (var attachment in Attachments)
                writer.WriteString(attachment.Kind, attachment.Digest);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    });

    private static void Optional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
            writer.WriteString(name, value);
    }
}
