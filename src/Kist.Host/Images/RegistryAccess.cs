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
        CertificateAuthorities = [.. images.AuthoritiesPem.Select(p => X509Certificate2.CreateFromPem(p))],
        Credentials = AuthFileCredentials.FromDefaultFiles(),
        Proxy = RegistryProxy.FromEnvironment(),
    };

    /// <summary>True for a registry of this machine that is not asked for a certificate.</summary>
    public static bool IsPlain(ImageReference image, ImageDemands images) => images.AuthoritiesPem.Count == 0 && RegistryOptions.IsLoopback(image.Registry);

    /// <summary>Where the door for an image's registry leads.</summary>
    /// <exception cref="OperationFailedException">Its name is not known here.</exception>
    public static async Task<IPEndPoint> EndPointAsync(ImageReference image, CancellationToken cancellationToken)
    {
        var authority = image.Registry == "docker.io" ? "registry-1.docker.io" : image.Registry;
        if (IPEndPoint.TryParse(authority, out var address) && address.Port != 0)
            return address;
        var colon = authority.LastIndexOf(':');
        var hasPort = colon > authority.LastIndexOf(']');
        var port = hasPort ? int.Parse(authority.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture) : RegistryOptions.IsLoopback(authority) ? PlainPort : TlsPort;
        try
        {
            var found = await Dns.GetHostAddressesAsync(hasPort ? authority[..colon] : authority, AddressFamily.InterNetwork, cancellationToken).ConfigureAwait(false);
            return new IPEndPoint(found[0], port);
        }
        catch (SocketException e)
        {
            throw new OperationFailedException("find registry", authority, e.Message, isTransient: true, inner: e);
        }
    }
}
