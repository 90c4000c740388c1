using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>
/// "kist verify": judges evidence of any TEE. Exit code 0 if all was accepted, 3 if some was refused, 4 if some could not be
/// read.
/// </summary>
static class VerifyCommand
{
    private static readonly Argument<string[]> s_files = new("FILE")
    {
        Description = "Evidence: bytes, hexadecimal, base64, PEM or JSON; - for standard input.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print each verdict as a JSON object." };
    private static readonly Option<bool> s_quiet = new("--quiet", "-q") { Description = "Print one line a file." };
    private static readonly Option<string?> s_explain = new("--explain") { Description = "Explain a finding's code, such as tdx.tcb.status, and verify nothing." };
    private static readonly Option<bool> s_useEndorsements = new("--use-endorsements")
    {
        Description = "Judge a certificate's evidence (RA-TLS) by the collateral in it, where none is given for its platform.",
    };
    private static readonly VerificationArguments s_arguments = new();
    private static readonly FetchArguments s_fetch = new();

    public static Command Create()
    {
        var command = new Command("verify", "Judge attestation evidence, and say why.") { s_files, s_json, s_quiet, s_explain, s_useEndorsements };
        s_arguments.AddTo(command);
        s_fetch.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        if (parse.GetValue(s_explain) is { } code)
            return ExplainCode.Print(code, parse.GetValue(s_json));
        var files = parse.GetValue(s_files) ?? [];
        if (files.Length == 0)
        {
            Terminal.Error("no evidence was named");
            Terminal.Hint("kist verify FILE, or kist verify --explain CODE");
            return ExitCode.Usage;
        }

        var options = s_arguments.Options(parse);
        var binding = s_arguments.Binding(parse);
        var worst = ExitCode.Success;
        foreach (var file in files)
            worst = Math.Max(worst, await VerifyFileAsync(parse, file, binding, options, cancellationToken));
        return worst;
    }

    private static async Task<int> VerifyFileAsync(
        ParseResult parse, string file, ExpectedBinding binding, VerificationOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var detected = s_arguments.Load(parse, file);
            var fetched = await s_fetch.WithFetchedAsync(parse, detected.Evidence, options, cancellationToken);
            var certificate = binding == ExpectedBinding.None ? RaTls(detected) : null;
            var verdict = certificate is null
                ? EvidenceVerifier.Verify(detected.Evidence, binding, fetched)
                : RaTlsVerifier.Verify(certificate, nonce: null, fetched, parse.GetValue(s_useEndorsements));
            if (parse.GetValue(s_json))
                VerdictOutput.PrintJson(verdict, file);
            else if (parse.GetValue(s_quiet))
                VerdictOutput.PrintLine(verdict, file);
            else
                VerdictTree.Write(Console.Out, verdict, Terminal.OutputHasColour, file);
            if (!detected.CertificateKey.IsEmpty && binding.ReportData is null && certificate is null)
                NoteCertificateKey(file, detected.CertificateKey.Span);
            return verdict.IsAccepted ? ExitCode.Success : ExitCode.Refused;
        }
        catch (MalformedDataException e)
        {
            if (parse.GetValue(s_json))
                VerdictOutput.PrintJson(e, file);
            Terminal.Error($"{file}: {e.Message}");
            return ExitCode.Malformed;
        }
    }

    /// <summary>The certificate that the evidence came in, if it is known what of its key such evidence binds.</summary>
    private static RaTlsEvidence? RaTls(DetectedEvidence detected) =>
        !detected.Certificate.IsEmpty && RaTlsEvidence.TryRead(detected.Certificate) is { } evidence && evidence.ExpectedReportData() is not null ? evidence : null;

    // Whoever relays someone else's evidence in a certificate of his own is caught only by this comparison.
    private static void NoteCertificateKey(string file, ReadOnlySpan<byte> key) => Terminal.Note(
        $"{file}: the evidence came in a certificate; that it speaks for the certificate's key was not checked. "
        + $"The key's digests: SHA-256 {Convert.ToHexStringLower(SHA256.HashData(key))}, SHA-512 {Convert.ToHexStringLower(SHA512.HashData(key))}; "
        + "give the one that the scheme binds as --report-data");
}
