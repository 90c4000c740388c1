using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Kist.Attestation;
using Kist.Attestation.Snp;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>The options with which commands are told how to judge evidence.</summary>
sealed class VerificationArguments
{
    private readonly Option<string?> _tee = new("--tee") { Description = "The TEE, where it cannot be told from the file: sgx, tdx, snp, tpm, …" };
    private readonly Option<DateTimeOffset?> _at = new("--at") { Description = "Judge as of this time (ISO 8601, UTC unless it says otherwise). Default: now.", CustomParser = ParseTime };
    private readonly Option<string[]> _collateral = new("--collateral") { Description = "Vendor's statements: a file or a directory; may be given more than once.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string?> _reportData = HexOption("--report-data", "The value that the evidence must bind, in hexadecimal (zero-padded to the field).");
    private readonly Option<string?> _initDataDigest = HexOption("--init-data-digest", "Digest of the init-data with which the guest was to be started, in hexadecimal.");
    private readonly Option<string[]> _reference = new("--reference") { Description = "CLAIM=VALUE that must hold, such as quote.body.mr_td=91eb…; a claim named twice may have either value." };
    private readonly Option<bool> _allowDebug = new("--allow-debug") { Description = "Accept a TEE into which the machine's owner may look. For tests only." };
    private readonly Option<bool> _allowSimulated = new("--allow-simulated") { Description = "Accept a simulated platform, which protects nothing. For tests only." };
    private readonly Option<int?> _maximumVmpl = new("--max-vmpl") { Description = "Highest VMPL (0 to 3) from which SNP reports are accepted: above 0 for guests under an SVSM or paravisor. Default: 0." };
    private readonly Option<string?> _eventLog = new("--event-log") { Description = "Event log of the guest (CCEL or TPM)." };
    private readonly Option<string?> _certificates = new("--certificates") { Description = "Certificates (PEM or DER), or the public key (PEM or JWK), that belong to the evidence and are not in it." };
    private readonly Option<string?> _policy = new("--policy") { Description = "TCB policy (JSON): accepted statuses, grace period, advisories, minimum versions." };
    private readonly Option<string[]> _trustAnchor = new("--trust-anchor") { Description = "A root besides the built-in ones: a trust anchor file (JSON), or VENDOR=FILE (certificate, public key or JWK)." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _tee, _at, _collateral, _reportData, _initDataDigest, _reference, _allowDebug, _allowSimulated, _maximumVmpl, _eventLog, _certificates, _policy, _trustAnchor,
        })
        {
            command.Add(option);
        }

        _maximumVmpl.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("0" or "1" or "2" or "3") } token])
                result.AddError($"--max-vmpl {token.Value}: not a number from 0 to 3");
        });
    }

    /// <summary>How to judge, as the command line says.</summary>
    public VerificationOptions Options(ParseResult parse)
    {
        var time = parse.GetValue(_at) ?? TimeProvider.System.GetUtcNow();
        return new VerificationOptions
        {
            Time = time,
            Anchors = TrustAnchorArgument.ReadAll(parse.GetValue(_trustAnchor)),
            Collateral = ReadCollateral(parse.GetValue(_collateral) ?? [], time),
            AllowDebug = parse.GetValue(_allowDebug),
            AllowSimulated = parse.GetValue(_allowSimulated),
            Snp = parse.GetValue(_maximumVmpl) is { } vmpl ? SnpPolicy.Default with { MaximumVmpl = vmpl } : SnpPolicy.Default,
            Tcb = parse.GetValue(_policy) is { } policy ? TcbPolicyJson.Parse(EvidenceFiles.Read(policy)) : TcbPolicy.Default,
            References = [.. References(parse.GetValue(_reference) ?? [])],
        };
    }

    /// <summary>All vendors' collateral in files and directories.</summary>
    public static CollateralStore ReadCollateral(string[] paths, DateTimeOffset time)
    {
        var reader = new CollateralReader();
        EvidenceFiles.AddCollateral(reader, paths);
        var store = reader.Build(time);
        foreach (var path in paths)
            OtherCollateral.AddTo(store, path);
        return store;
    }

    /// <summary>What the evidence has to bind.</summary>
    public ExpectedBinding Binding(ParseResult parse) =>
        new(Bytes(parse.GetValue(_reportData)), Bytes(parse.GetValue(_initDataDigest)));

    /// <summary>Reads a file of evidence, with what was given beside it.</summary>
    public DetectedEvidence Load(ParseResult parse, string file)
    {
        var detected = EvidenceDetector.Detect(EvidenceFiles.Read(file), parse.GetValue(_tee));
        var evidence = detected.Evidence;
        if (parse.GetValue(_eventLog) is { } log)
            evidence = evidence with { EventLog = EvidenceFiles.Read(log, EvidenceLimits.EventLog) };
        if (parse.GetValue(_certificates) is { } certificates)
            evidence = evidence with { Certificates = EvidenceFiles.Read(certificates, EvidenceLimits.CertificateChain) };
        return detected with { Evidence = evidence };
    }

    // A null literal would become an array and then an empty memory, which is not the absent value.
    private static ReadOnlyMemory<byte>? Bytes(string? hex) => hex is null ? default(ReadOnlyMemory<byte>?) : Convert.FromHexString(hex);

    private static IEnumerable<ReferenceValue> References(string[] texts) => texts
        .Select(t => t.Split('=', 2) is [{ Length: > 0 } claim, var value]
            ? (Claim: claim, Value: value)
            : throw new OperationFailedException("read", t, "a reference is CLAIM=VALUE"))
        .GroupBy(p => p.Claim, StringComparer.Ordinal)
        .Select(g => new ReferenceValue(g.Key, [.. g.Select(p => p.Value)]));

    private static DateTimeOffset? ParseTime(ArgumentResult result)
    {
        if (DateTimeOffset.TryParse(
            result.Tokens.Single().Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
        {
            return time;
        }

        result.AddError($"--at {result.Tokens.Single().Value}: not a time, such as 2025-06-25T00:00:00Z");
        return null;
    }

    private static Option<string?> HexOption(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description };
        option.Validators.Add(result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (text.Length == 0 || text.Length % 2 != 0 || !text.All(char.IsAsciiHexDigit))
                result.AddError($"{name} {text}: not hexadecimal");
        });
        return option;
    }
}
