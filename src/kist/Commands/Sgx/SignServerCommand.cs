using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Signing.Service;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx sign-server": signs enclaves for callers who are known, by rules, with a key that stays here.</summary>
static class SignServerCommand
{
    private const int MaxPolicyBytes = 1024 * 1024;

    private static readonly Option<string> s_listen = new("--listen") { Description = "Address and port to listen on.", DefaultValueFactory = _ => "127.0.0.1:8443", HelpName = "ADDRESS:PORT" };
    private static readonly Option<FileInfo> s_certificate = new("--certificate") { Description = "The server's TLS certificate, PEM.", Required = true };
    private static readonly Option<FileInfo> s_certificateKey = new("--certificate-key") { Description = "Its key, PEM.", Required = true };
    private static readonly Option<FileInfo> s_policy = new("--policy") { Description = "Who may have what signed, JSON.", Required = true };
    private static readonly Option<FileInfo> s_log = new("--log") { Description = "File of the records, a line each.", Required = true };
    private static readonly SignerArguments s_signer = new();

    public static Command Create()
    {
        var command = new Command("sign-server", "Sign enclaves for others: callers are known, rules say what is signed, the key stays here.")
        {
            s_listen, s_certificate, s_certificateKey, s_policy, s_log,
        };
        s_signer.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        if (!IPEndPoint.TryParse(parse.GetValue(s_listen)!, out var address))
            throw new MalformedDataException("address to listen on", -1, $"\"{parse.GetValue(s_listen)}\" is no address and port");
        using var certificate = X509Certificate2.CreateFromPemFile(parse.GetValue(s_certificate)!.FullName, parse.GetValue(s_certificateKey)!.FullName);
        using var signer = s_signer.Open(parse);
        using var log = new SigningLog(parse.GetValue(s_log)!.FullName);
        var service = new SigningService(signer.Signer, SigningPolicy.Parse(SgxFiles.Read(parse.GetValue(s_policy)!, MaxPolicyBytes)), log, TimeProvider.System);
        await using var host = await SigningHost.StartAsync(address, certificate, service, cancellationToken);
        Terminal.Note($"signing at {host.Endpoint}, MRSIGNER {Convert.ToHexStringLower(EnclaveSigningKey.MrSignerOf(signer.Signer.Modulus))}");
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Terminal.Note("stopping");
        }

        return ExitCode.Success;
    }
}
