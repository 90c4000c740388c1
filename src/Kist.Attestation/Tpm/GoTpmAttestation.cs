using System.Collections.Immutable;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>
/// The message "Attestation" of Google's go-tpm-tools (proto/attest.proto): 1 ak_pub (TPMT_PUBLIC), 2 quotes {1 quote,
/// 2 raw_sig, 3 pcrs {1 hash, 2 pcrs {1 index, 2 value}}}, 3 event_log, 6 ak_cert, 7 intermediate_certs.
/// </summary>
internal static class GoTpmAttestation
{
    private const string Structure = "go-tpm-tools attestation";
    private const int QuoteLimit = 16;

    /// <summary>True if the bytes begin with a TPMT_PUBLIC in field 1.</summary>
    public static bool IsLikely(ReadOnlySpan<byte> data) =>
        data.Length > 64 && data[0] == 0x0A && (data[2..9].IndexOf((ReadOnlySpan<byte>)[0x00, 0x01, 0x00, 0x0B]) >= 0 || data[2..9].IndexOf((ReadOnlySpan<byte>)[0x00, 0x23, 0x00, 0x0B]) >= 0);

    /// <summary>Reads the message. Of several quotes that of the SHA-256 bank is taken, or else that of a longer hash.</summary>
    public static TpmEvidence Read(Evidence evidence)
    {
        TpmPublicArea? key = null;
        ReadOnlyMemory<byte> eventLog = default;
        var quotes = new List<(TpmQuote Quote, TpmSignature Signature, ImmutableArray<ReadOnlyMemory<byte>> Pcrs)>();
        var certificates = new List<Certificate>();
        var message = new ProtobufCursor(evidence.Bytes.Span, Structure);
        while (message.Next(out var field, out _, out var bytes))
        {
            switch (field)
            {
                case 1: key = TpmPublicArea.Parse(bytes); break;
                case 2 when quotes.Count == QuoteLimit: throw new MalformedDataException(Structure, -1, $"it has more than {QuoteLimit} quotes");
                case 2: quotes.Add(ReadQuote(bytes)); break;
                case 3: eventLog = bytes.ToArray(); break;
                case 6 or 7 when !bytes.IsEmpty: certificates.Add(Certificate.Parse(bytes.ToArray())); break;
                default: break;
            }
        }

        if (key is null || quotes.Count == 0)
            throw new MalformedDataException(Structure, -1, $"it has no {(key is null ? "key" : "quote")}");
        if (!evidence.Certificates.IsEmpty)
            certificates.AddRange(PemReader.ReadCertificates(evidence.Certificates));
        var best = quotes.OrderBy(q => q.Quote.Selections is [{ Bank: var bank }, ..] && bank.Hash() is not null ? bank.DigestSize() : int.MaxValue).First();
        return new TpmEvidence(
            best.Quote, best.Signature, best.Pcrs, key.SubjectPublicKeyInfo, evidence.EventLog.IsEmpty ? eventLog : evidence.EventLog, certificates)
        {
            IsAttestationKey = key.IsAttestationKey,
        };
    }

    private static (TpmQuote, TpmSignature, ImmutableArray<ReadOnlyMemory<byte>>) ReadQuote(ReadOnlySpan<byte> data)
    {
        TpmQuote? quote = null;
        TpmSignature? signature = null;
        var pcrs = new ReadOnlyMemory<byte>[TpmEvidence.PcrLimit];
        var message = new ProtobufCursor(data, Structure);
        while (message.Next(out var field, out _, out var bytes))
        {
            switch (field)
            {
                case 1: quote = TpmQuoteReader.Parse(bytes); break;
                case 2: signature = TpmSignature.Parse(bytes); break;
                case 3: ReadPcrs(bytes, pcrs); break;
                default: break;
            }
        }

        return quote is null || signature is null
            ? throw new MalformedDataException(Structure, -1, "a quote lacks its message or signature")
            : (quote, signature, [.. pcrs]);
    }

    private static void ReadPcrs(ReadOnlySpan<byte> data, ReadOnlyMemory<byte>[] pcrs)
    {
        var message = new ProtobufCursor(data, Structure);
        while (message.Next(out var field, out _, out var entry))
        {
            if (field != 2)
                continue;
            ulong index = 0;
            byte[] value = [];
            var pair = new ProtobufCursor(entry, Structure);
            while (pair.Next(out var part, out var number, out var bytes))
            {
                if (part == 1)
                    index = number;
                else if (part == 2)
                    value = bytes.ToArray();
            }

            if (index >= (ulong)pcrs.Length || value.Length > 64)
                throw new MalformedDataException(Structure, -1, $"register {index} does not exist, or is {value.Length} bytes");
            pcrs[index] = value;
        }
    }
}
