using System.Security.Cryptography.X509Certificates;

namespace Kist.Simulator.Vendor;

/// <summary>What a certified key is for.</summary>
readonly record struct KeyUsage(X509KeyUsageFlags Flags, bool IsAuthority, int PathLength)
{
    /// <summary>Signs quotes or statements.</summary>
    public static KeyUsage EndEntity { get; } = new(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation, false, 0);

    /// <summary>Issues certificates and CRLs.</summary>
    public static KeyUsage Authority(int pathLength) => new(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true, pathLength);
}
