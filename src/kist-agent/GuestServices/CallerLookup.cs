using System.Net;
using Kist.Agent.Containers;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Linux.Network;

namespace Kist.Agent.GuestServices;

/// <summary>
/// Which container a connection of the loopback interface comes from. Containers of a pod share the network, so an address
/// says nothing; the kernel says in which cgroup the peer's socket was made, and each container has one of its own that it
/// cannot leave. Whoever cannot be told is nobody.
/// </summary>
sealed class CallerLookup(ContainerTable containers)
{
    /// <summary>The caller at the other end of an accepted connection; null if it is no container's.</summary>
    /// <param name="caller">The caller's address.</param>
    /// <param name="server">The address that it has connected to.</param>
    public Caller? Find(IPEndPoint caller, IPEndPoint server)
    {
        try
        {
            if (SocketDiagnosis.FindCgroup(caller, server) is not { } cgroup)
                return null;
            var container = containers.All.SingleOrDefault(c => CgroupOf(c.Id) == cgroup);
            return container is null ? null : new Caller(container.Id, container.Name);
        }
        catch (SystemCallException)
        {
            return null;
        }
    }

    /// <summary>The number of a container's cgroup; null if it is gone.</summary>
    private static ulong? CgroupOf(string id)
    {
        try
        {
            return FileExamination.Of($"/sys/fs/cgroup/kist/{id}").Inode;
        }
        catch (SystemCallException)
        {
            return null;
        }
    }
}
