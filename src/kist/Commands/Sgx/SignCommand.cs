using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Signing.Service;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx sign": an enclave signed with a key at hand, in a token, or at a signing server.</summary>
static class SignCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Enclave of the Intel SDK (ELF) or SGXS stream." };
    private static readonly Option<Uri?> s_server = new("--server") { Description = "Signing server (kist sgx sign-server), https://…, in place of a key.", HelpName = "URL" };
    private static readonly Option<FileInfo?> s_serverCertificate = new("--server-certificate") { Description = "The server's certificate, PEM, which alone is accepted." };
    private static readonly Option<FileInfo?> s_certificate = new("--client-certificate") { Description = "This caller's certificate for the server, PEM." };
    private static readonly Option<FileInfo?> s_certificateKey = new("--client-key") { Description = "Its key, PEM." };
    private static readonly Option<FileInfo?> s_bearer = new("--token-file") { Description = "File with this caller's bearer token for the server." };
    private static readonly Option<string?> s_mrSigner = new("--mrsigner") { Description = "MRSIGNER that the server must sign as, 64 hexadecimal digits." };
    private static readonly Option<FileInfo> s_out = new("--out", "-o")
    {
        Description = "Where to write: the signed ELF file, or the SIGSTRUCT of an SGXS stream.",
        Required = true,
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };
    private static readonly SignerArguments s_signer = new();
    private static readonly SigningOptions s_signing = new();

    public static Command Create()
    {
        var command = new Command("sign", "Sign an enclave: RSA-3072 with public exponent 3.")
        {
            s_file, s_server, s_serverCertificate, s_certificate, s_certificateKey, s_bearer, s_mrSigner, s_out, s_json,
        };
        s_signer.AddTo(command, result => result.GetValue(s_server) is not null, ", or --server");
        s_signing.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var fields = s_signing.Fields(parse, enclave);
        var sigstruct = parse.GetValue(s_server) is { } server
            ? await SignRemotelyAsync(parse, server, fields, cancellationToken)
            : SignHere(parse, fields);
        await File.WriteAllBytesAsync(parse.GetValue(s_out)!.FullName, enclave.WithSignature(sigstruct), cancellationToken);
        SigstructOutput.Print(sigstruct, parse.GetValue(s_json));
        return ExitCode.Success;
    }

    private static Sigstruct SignHere(ParseResult parse, SigstructFields fields)
    {
        using var signer = s_signer.Open(parse);
        return SigstructComposer.Sign(fields, signer.Signer);
    }

    private static async Task<Sigstruct> SignRemotelyAsync(ParseResult parse, Uri server, SigstructFields fields, CancellationToken cancellationToken)
    {
        using var pinned = parse.GetValue(s_serverCertificate) is { } file ? X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(file.FullName, cancellationToken)) : null;
        using var own = parse.GetValue(s_certificate) is { } certificate
            ? X509Certificate2.CreateFromPemFile(certificate.FullName, parse.GetValue(s_certificateKey)?.FullName)
            : null;
        var token = parse.GetValue(s_bearer) is { } bearer ? Encoding.UTF8.GetString(SgxFiles.Read(bearer, SgxFiles.MaxKeyBytes)).Trim() : null;
        using var signer = new RemoteSigner(server, pinned, own, token);
        return await signer.SignAsync(fields, MrSigner(parse.GetValue(s_mrSigner)), cancellationToken);
    }

    private static byte[]? MrSigner(string? text) => text is null ? null
        : text.Length == 64 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text)
        : throw new MalformedDataException("MRSIGNER", -1, $"\"{text}\" is not 64 hexadecimal digits");
}
