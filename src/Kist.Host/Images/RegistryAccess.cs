using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Host;

/// <summary>How a workload's registry is reached: by the owner here, and by the guest through a door.</summary>
static class RegistryAccess
{
    private const int TlsPort = 443, PlainPort = 80;

    /// <summary>How the owner asks a registry what an image is: with the credentials of podman, skopeo and docker.</summary>
    public static RegistryOptions For(ImageDemands images) => new()
    {
        TrustedHosts = images.RegistryHosts,
        CertificateAuthorities = [.. images.AuthoritiesPem.Select(p => X509Certificate2.CreateFromPem(p))],
        Credentials = AuthFileCredentials.FromDefaultFiles(),
        Proxy = RegistryProxy.FromEnvironment(),
    };

    /// <summary>True for a registry of this machine that is not asked for a certificate.</summary>
    public static bool IsPlain(ImageReference image, ImageDemands images) => images.AuthoritiesPem.Count == 0 && RegistryOptions.IsLoopback(image.Registry);

    /// <summary>The host and port of an image's registry.</summary>
    public static (string Host, int Port) AuthorityOf(ImageReference image)
    {
        var authority = image.Registry == "docker.io" ? "registry-1.docker.io" : image.Registry;
        var colon = authority.LastIndexOf(':');
        return colon > authority.LastIndexOf(']')
            ? (authority[..colon], int.Parse(authority.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture))
            : (authority, RegistryOptions.IsLoopback(authority) ? PlainPort : TlsPort);
    }

    /// <summary>Where the door for a host leads.</summary>
    /// <exception cref="OperationFailedException">Its name is not known here.</exception>
    public static async Task<IPEndPoint> EndPointAsync(string host, int port, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
            return new IPEndPoint(address, port);
        try
        {
            var found = await Dns.GetHostAddressesAsync(host, AddressFamily.InterNetwork, cancellationToken).ConfigureAwait(false);
            return new IPEndPoint(found[0], port);
        }
        catch (SocketException e)
        {
            throw new OperationFailedException("find registry", host, e.Message, isTransient: true, inner: e);
        }
    }
}
