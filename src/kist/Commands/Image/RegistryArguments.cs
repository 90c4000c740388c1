using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>How to talk to registries: the options that all image commands share.</summary>
sealed class RegistryArguments
{
    private readonly Option<bool> _plainHttp = new("--plain-http") { Description = "Talk http to the registry, without TLS. Loopback registries are, without this." };
    private readonly Option<string[]> _authorities = new("--registry-ca") { Description = "File with the only certificates that may vouch for the registry (PEM).", HelpName = "FILE" };
    private readonly Option<string[]> _trustedHosts = new("--trust-host") { Description = "Another host that the registry may redirect to, or have its tokens issued by.", HelpName = "HOST" };
    private readonly Option<string?> _authFile = new("--authfile") { Description = "File with passwords (default: as podman, skopeo and docker).", HelpName = "FILE" };

    private readonly Option<string?> _rules = new("--registries-conf") { Description = "File with mirrors and blocked registries (default: as podman and skopeo).", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Add(_rules);
        command.Add(_plainHttp);
        command.Add(_authorities);
        command.Add(_trustedHosts);
        command.Add(_authFile);
    }

    public RegistryOptions Read(ParseResult parse) => new()
    {
        PlainHttp = parse.GetValue(_plainHttp) ? true : null,
        CertificateAuthorities = ReadAuthorities(parse.GetValue(_authorities) ?? []),
        TrustedHosts = parse.GetValue(_trustedHosts) ?? [],
        Rules = parse.GetValue(_rules) is { } rules ? RegistryRules.Parse(File.ReadAllBytes(rules)) : RegistryRules.FromDefaultFiles(),
        Proxy = RegistryProxy.FromEnvironment(),
        Credentials = parse.GetValue(_authFile) is { } path ? AuthFileCredentials.Parse(File.ReadAllBytes(path)) : AuthFileCredentials.FromDefaultFiles(),
    };

    private static X509Certificate2[] ReadAuthorities(string[] paths)
    {
        var certificates = new X509Certificate2Collection();
        foreach (var path in paths)
        {
            try
            {
                certificates.ImportFromPemFile(path);
            }
            catch (CryptographicException e)
            {
                throw new MalformedDataException("certificate", -1, $"{path} has no certificates in PEM", e);
            }
        }

        return [.. certificates];
    }
}
