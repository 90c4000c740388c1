using System.Globalization;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// TCB info of a kind of platform (Intel PCS API: TCB Info Model v1 to v3). Version 1 can be read, for inspection, but says
/// too little to judge by.
/// </summary>
internal sealed class TcbInfo
{
    private const string Structure = "TCB info";
    private const int MaxLevels = 512;
    private const int MaxModules = 32;

    public required SignedJson Document { get; init; }

    /// <summary>"SGX" or "TDX"; "SGX" before version 3, which does not say.</summary>
    public required string Id { get; init; }

    public required int Version { get; init; }

    public required DateTimeOffset IssueDate { get; init; }

    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>6 bytes.</summary>
    public required byte[] Fmspc { get; init; }

    /// <summary>2 bytes; null in version 1.</summary>
    public required byte[]? PceId { get; init; }

    /// <summary>How new Intel's evaluation is; 0 in version 1.</summary>
    public required int EvaluationDataNumber { get; init; }

    /// <summary>Identity of the first-generation TDX module; null for SGX.</summary>
    public required TdxModuleIdentity? TdxModule { get; init; }

    /// <summary>Identities of later TDX modules by major version.</summary>
    public required IReadOnlyList<TdxModuleIdentity> TdxModuleIdentities { get; init; }

    /// <summary>Levels, newest first as Intel orders them.</summary>
    public required IReadOnlyList<TcbLevel> Levels { get; init; }

    /// <summary>Reads {"tcbInfo":{…},"signature":"…"}. The signature is not checked here.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static TcbInfo Parse(ReadOnlyMemory<byte> document)
    {
        var signed = SignedJson.Parse(document, Structure, "tcbInfo");
        var root = signed.Root;
        var version = SignedJson.RequireNumber(root, "version", int.MaxValue, Structure);
        if (version is < 1 or > 3)
            throw new MalformedDataException(Structure, -1, $"version {version} is not known (1 to 3 are)");
        var id = version >= 3 ? EvidenceJson.RequireString(root, "id", Structure) : "SGX";
        if (id is not ("SGX" or "TDX"))
            throw new MalformedDataException(Structure, -1, $"id {id} is neither SGX nor TDX");
        if (version >= 2 && SignedJson.RequireNumber(root, "tcbType", int.MaxValue, Structure) != 0)
            throw new MalformedDataException(Structure, -1, "tcbType is not 0, so that its levels cannot be compared in the known way");
        var tdx = id == "TDX";
        return new TcbInfo
        {
            Document = signed,
            Id = id,
            Version = version,
            IssueDate = SignedJson.RequireTime(root, "issueDate", Structure),
            NextUpdate = SignedJson.RequireTime(root, "nextUpdate", Structure),
            Fmspc = SignedJson.RequireHex(root, "fmspc", 6, Structure),
            PceId = version >= 2 ? SignedJson.RequireHex(root, "pceId", 2, Structure) : null,
            EvaluationDataNumber = version >= 2 ? SignedJson.RequireNumber(root, "tcbEvaluationDataNumber", int.MaxValue, Structure) : 0,
            TdxModule = tdx ? ReadModule(EvidenceJson.Require(root, "tdxModule", Structure), hasLevels: false) : null,
            TdxModuleIdentities = tdx ? ReadModules(root) : [],
            Levels = ReadLevels(root, version, tdx),
        };
    }

    private static List<TdxModuleIdentity> ReadModules(JsonElement root)
    {
        var list = new List<TdxModuleIdentity>();
        if (EvidenceJson.Optional(root, "tdxModuleIdentities", Structure) is null)
            return list;
        foreach (var module in SignedJson.RequireArray(root, "tdxModuleIdentities", MaxModules, Structure))
            list.Add(ReadModule(module, hasLevels: true));
        return list;
    }

    private static TdxModuleIdentity ReadModule(JsonElement module, bool hasLevels) => new(
        hasLevels ? EvidenceJson.RequireString(module, "id", Structure) : "TDX",
        SignedJson.RequireHex(module, "mrsigner", 48, Structure),
        SignedJson.RequireHex(module, "attributes", 8, Structure),
        SignedJson.RequireHex(module, "attributesMask", 8, Structure),
        hasLevels ? IdentityLevels.Read(module, Structure) : []);

    private static List<TcbLevel> ReadLevels(JsonElement root, int version, bool tdx)
    {
        var list = new List<TcbLevel>();
        foreach (var level in SignedJson.RequireArray(root, "tcbLevels", MaxLevels, Structure))
        {
            var tcb = EvidenceJson.Require(level, "tcb", Structure);
            var names = new string?[16];
            var sgx = version >= 3 ? ReadComponents(tcb, "sgxtcbcomponents", names) : ReadNumberedComponents(tcb);
            var status = EvidenceJson.RequireString(level, version == 1 ? "status" : "tcbStatus", Structure);
            list.Add(new TcbLevel(
                sgx,
                SignedJson.RequireNumber(tcb, "pcesvn", 65535, Structure),
                tdx ? ReadComponents(tcb, "tdxtcbcomponents", null) : [],
                version >= 2 ? SignedJson.RequireTime(level, "tcbDate", Structure) : null,
                TcbStatuses.Parse(status),
                status,
                SignedJson.OptionalStrings(level, "advisoryIDs", Structure),
                names));
        }

        return list.Count > 0 ? list : throw new MalformedDataException(Structure, -1, "there is no TCB level");
    }

    private static byte[] ReadComponents(JsonElement tcb, string name, string?[]? names)
    {
        var components = new byte[16];
        var i = 0;
        foreach (var component in SignedJson.RequireArray(tcb, name, 16, Structure))
        {
            components[i] = (byte)SignedJson.RequireNumber(component, "svn", 255, Structure);
            if (names is not null && EvidenceJson.Optional(component, "category", Structure) is not null)
            {
                var category = EvidenceJson.RequireString(component, "category", Structure);
                names[i] = EvidenceJson.Optional(component, "type", Structure) is null
                    ? category
                    : $"{category}: {EvidenceJson.RequireString(component, "type", Structure)}";
            }

            i++;
        }

        return i == 16 ? components : throw new MalformedDataException(Structure, -1, $"{name} has {i} elements, not 16");
    }

    private static byte[] ReadNumberedComponents(JsonElement tcb)
    {
        var components = new byte[16];
        for (var i = 0; i < 16; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"sgxtcbcomp{i + 1:00}svn");
            components[i] = (byte)SignedJson.RequireNumber(tcb, name, 255, Structure);
        }

        return components;
    }
}
