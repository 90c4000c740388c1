using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Attestation.Corim;
using Kist.Attestation.References;
using Kist.Formats;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.References;

/// <summary>What a document with reference values asks for, once it is known who signed it.</summary>
/// <param name="Changes">One for each set or value.</param>
/// <param name="Signer">SHA-256 of the signer's SubjectPublicKeyInfo, hexadecimal; null if nobody signed it.</param>
sealed record ImportedReferences(ImmutableArray<AdminChange> Changes, string? Signer);

/// <summary>
/// Reads documents with reference values: a CoRIM, signed (COSE_Sign1) or not; a reference set signed by JWS; a bare
/// reference set. A signature counts if one of the trusted keys made it. Validity is enforced: what has ended is refused, what begins
/// later is stored and matches then.
/// </summary>
sealed class ReferenceImport(IReadOnlyList<ReadOnlyMemory<byte>> signers)
{
    /// <summary>Longest document.</summary>
    public const int MaxBytes = CorimDocument.SizeLimit;

    private const int MaxSetBytes = 1024 * 1024;
    private const int MaxEntries = 1000;

    // What a manifest that does not say is good for.
    private static readonly TimeSpan DefaultValidity = TimeSpan.FromDays(365);

    /// <summary>Reads a document.</summary>
    /// <param name="document">The document.</param>
    /// <param name="allowUnsigned">True to take it without a signature. One that is there must be right all the same.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="BrokerRefusal">It is no such document, nobody trusted signed it, or its validity has ended.</exception>
    public ImportedReferences Read(ReadOnlyMemory<byte> document, bool allowUnsigned, DateTimeOffset now)
    {
        try
        {
            var first = document.Span.TrimStart(" \t\r\n"u8);
            if (first.StartsWith("{"u8))
                return Bare(document, allowUnsigned, now);
            return SignedReferenceSet.Recognises(document.Span) ? Signed(document, now) : Corim(document, allowUnsigned, now);
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.ReferenceMalformed.Saying(e.Message), e.Message, e);
        }
    }

    private static ImportedReferences Bare(ReadOnlyMemory<byte> document, bool allowUnsigned, DateTimeOffset now)
    {
        if (!allowUnsigned)
            throw new BrokerRefusal(BrokerError.ReferenceUnsigned);
        return new ImportedReferences([Change(KbsJson.Read<ReferenceSet>(document.Span, MaxSetBytes), now)], null);
    }

    private ImportedReferences Signed(ReadOnlyMemory<byte> document, DateTimeOffset now)
    {
        var statement = SignedReferenceSet.Parse(Encoding.ASCII.GetString(document.Span));
        var signer = Signer(statement.IsSignedBy);
        var set = KbsJson.Read<ReferenceSet>(statement.Payload.Span, MaxSetBytes);
        return new ImportedReferences([Change(set with { Source = $"{set.Source}; signed by {signer}" }, now)], signer);
    }

    private ImportedReferences Corim(ReadOnlyMemory<byte> document, bool allowUnsigned, DateTimeOffset now)
    {
        var manifest = CorimDocument.Parse(document);
        var signer = manifest.IsSigned ? Signer(manifest.IsSignedBy) : allowUnsigned ? null : throw new BrokerRefusal(BrokerError.ReferenceUnsigned);
        var source = $"CoRIM {Short(manifest.Id)}{(signer is null ? ", not signed" : $"; signed by {signer}")}";
        var sets = CorimReferenceSet.Of(manifest);
        if (!sets.IsEmpty)
        {
            return new ImportedReferences(
                [.. sets.Select(s => Change(
                    new ReferenceSet
                    {
                        Name = s.Name,
                        Tee = s.Tee,
                        Claims = s.Claims.ToDictionary(c => c.Claim, c => (IReadOnlyList<string>)c.Accepted),
                        NotBefore = s.NotBefore,
                        Expires = s.NotAfter ?? now + DefaultValidity,
                        Source = source,
                    },
                    now))],
                signer);
        }

        var values = CorimReferenceValues.Of(manifest).ToList();
        if (values.Count is 0 or > MaxEntries)
            throw new MalformedDataException("CoRIM", -1, $"it must have 1 to {MaxEntries} reference values");
        CheckValidity(manifest.NotBefore, manifest.NotAfter ?? now + DefaultValidity, now);
        return new ImportedReferences(
            [.. values.Select(v => new AdminChange(
                ChangeKind.ImportReferenceValue, v.Name, ImportedValue.Write(v.Values, manifest.NotBefore ?? now, manifest.NotAfter ?? now + DefaultValidity, source)))],
            signer);
    }

    private static AdminChange Change(ReferenceSet set, DateTimeOffset now)
    {
        ReferenceStore.Check(set);
        CheckValidity(set.NotBefore, set.Expires, now);
        return new AdminChange(ChangeKind.SetReferenceSet, set.Name, KbsJson.Write(set));
    }

    private static void CheckValidity(DateTimeOffset? from, DateTimeOffset until, DateTimeOffset now)
    {
        if (until <= now)
            throw new MalformedDataException("reference values", -1, string.Create(CultureInfo.InvariantCulture, $"their validity ended at {until:O}"));
        if (from >= until)
            throw new MalformedDataException("reference values", -1, "their validity ends before it begins");
    }

    /// <summary>Who of the trusted made a signature.</summary>
    private string Signer(Func<ReadOnlySpan<byte>, bool> isSignedBy)
    {
        foreach (var key in signers)
        {
            try
            {
                if (isSignedBy(key.Span))
                    return Convert.ToHexStringLower(SHA256.HashData(key.Span));
            }
            catch (MalformedDataException)
            {
                // A key of a kind that makes no such signatures made this one neither.
            }
        }

        throw new BrokerRefusal(BrokerError.ReferenceUnsigned, signers.Count == 0 ? "no signer of reference values is trusted here" : "none of the trusted signers made the signature");
    }

    private static string Short(string id) => id.Length <= 128 ? id : id[..128];
}
