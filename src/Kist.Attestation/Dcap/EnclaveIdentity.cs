using System.Buffers.Binary;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// Identity of one of Intel's enclaves (Intel PCS API: Enclave Identity Model v1 and v2): QE for SGX, TD_QE for TDX, QVE for
/// the quote verification enclave.
/// </summary>
internal sealed class EnclaveIdentity
{
    private const string Structure = "enclave identity";

    public required SignedJson Document { get; init; }

    /// <summary>"QE", "TD_QE" or "QVE"; "QE" in version 1, which does not say.</summary>
    public required string Id { get; init; }

    public required int Version { get; init; }

    public required DateTimeOffset IssueDate { get; init; }

    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>0 in version 1.</summary>
    public required int EvaluationDataNumber { get; init; }

    public required uint MiscSelect { get; init; }

    public required uint MiscSelectMask { get; init; }

    /// <summary>16 bytes.</summary>
    public required byte[] Attributes { get; init; }

    /// <summary>16 bytes.</summary>
    public required byte[] AttributesMask { get; init; }

    /// <summary>32 bytes.</summary>
    public required byte[] MrSigner { get; init; }

    public required int IsvProdId { get; init; }

    /// <summary>Levels, newest first.</summary>
    public required IReadOnlyList<IdentityLevel> Levels { get; init; }

    /// <summary>Reads {"enclaveIdentity":{…},"signature":"…"}, or "qeIdentity" of version 1. The signature is not checked here.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static EnclaveIdentity Parse(ReadOnlyMemory<byte> document)
    {
        var signed = SignedJson.Parse(document, Structure, "enclaveIdentity", "qeIdentity");
        var root = signed.Root;
        var version = SignedJson.RequireNumber(root, "version", int.MaxValue, Structure);
        if (version is < 1 or > 2)
            throw new MalformedDataException(Structure, -1, $"version {version} is not known (1 and 2 are)");
        var id = version >= 2 ? EvidenceJson.RequireString(root, "id", Structure) : "QE";
        if (id is not ("QE" or "TD_QE" or "QVE"))
            throw new MalformedDataException(Structure, -1, $"id {id} is not QE, TD_QE or QVE");
        return new EnclaveIdentity
        {
            Document = signed,
            Id = id,
            Version = version,
            IssueDate = SignedJson.RequireTime(root, "issueDate", Structure),
            NextUpdate = SignedJson.RequireTime(root, "nextUpdate", Structure),
            EvaluationDataNumber = version >= 2 ? SignedJson.RequireNumber(root, "tcbEvaluationDataNumber", int.MaxValue, Structure) : 0,
            MiscSelect = BinaryPrimitives.ReadUInt32LittleEndian(SignedJson.RequireHex(root, "miscselect", 4, Structure)),
            MiscSelectMask = BinaryPrimitives.ReadUInt32LittleEndian(SignedJson.RequireHex(root, "miscselectMask", 4, Structure)),
            Attributes = SignedJson.RequireHex(root, "attributes", 16, Structure),
            AttributesMask = SignedJson.RequireHex(root, "attributesMask", 16, Structure),
            MrSigner = SignedJson.RequireHex(root, "mrsigner", 32, Structure),
            IsvProdId = SignedJson.RequireNumber(root, "isvprodid", 65535, Structure),
            Levels = version >= 2
                ? IdentityLevels.Read(root, Structure)
                : [new IdentityLevel(SignedJson.RequireNumber(root, "isvsvn", 65535, Structure), null, TcbStatus.UpToDate, [])],
        };
    }

    /// <summary>What differs between a report and this identity, as a field's name with both values; null if nothing does.</summary>
    public (string Field, string Expected, string Actual)? FirstDifference(EnclaveReport report)
    {
        if (!report.MrSigner.Span.SequenceEqual(MrSigner))
            return ("MRSIGNER", Convert.ToHexStringLower(MrSigner), Convert.ToHexStringLower(report.MrSigner.Span));
        if (report.IsvProdId != IsvProdId)
            return ("ISVPRODID", $"{IsvProdId}", $"{report.IsvProdId}");
        if ((report.MiscSelect & MiscSelectMask) != MiscSelect)
            return ("MISCSELECT", $"{MiscSelect:x8} under mask {MiscSelectMask:x8}", $"{report.MiscSelect:x8}");
        return BitMask.Matches(report.Attributes.Span, AttributesMask, Attributes)
            ? null
            : ("ATTRIBUTES", $"{Convert.ToHexStringLower(Attributes)} under mask {Convert.ToHexStringLower(AttributesMask)}",
                Convert.ToHexStringLower(report.Attributes.Span));
    }
}
