using System.Text.RegularExpressions;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>The pod's containers by identifier.</summary>
sealed partial class ContainerTable
{
    /// <summary>More than this many would be an attack on the guest's memory.</summary>
    private const int Maximum = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Container?> _containers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _started = new(StringComparer.Ordinal), _completed = new(StringComparer.Ordinal);

    public IReadOnlyList<Container> All
    {
        get
        {
            lock (_lock)
                return [.. _containers.Values.OfType<Container>()];
        }
    }

    /// <summary>Takes an identifier; what it stands for follows with <see cref="Set"/> or <see cref="Forget"/>.</summary>
    public void Reserve(string id)
    {
        if (!IsIdentifier(id))
            throw Failed("create container", id, FailureCode.InvalidRequest, "an identifier is a letter or digit and then up to 75 of [a-zA-Z0-9_.-]");
        lock (_lock)
        {
            if (_containers.Count >= Maximum)
                throw Failed("create container", id, FailureCode.InvalidRequest, $"the pod has {Maximum} containers");
            if (!_containers.TryAdd(id, null))
                throw Failed("create container", id, FailureCode.InvalidRequest, "the pod has a container of this identifier");
        }
    }

    /// <summary>
    /// Puts a container in its place. A name stands for one container at a time: what the policy allows once must not run
    /// twice because the host asks twice.
    /// </summary>
    public void Set(string id, Container container)
    {
        lock (_lock)
        {
            if (_containers.Values.Any(c => c is not null && c.Name == container.Name && c.Exit is not { IsCompleted: true }))
                throw Failed("create container", id, FailureCode.InvalidRequest, $"the pod has a container named '{container.Name}' that has not ended");
            _containers[id] = container;
        }
    }

    /// <summary>What has run so far, for the policy; a removed container still counts.</summary>
    public PodStateInput State()
    {
        lock (_lock)
        {
            Remember(_containers.Values);
            return new PodStateInput([.. _started.Order(StringComparer.Ordinal)], [.. _completed.Order(StringComparer.Ordinal)]);
        }
    }

    private void Remember(IEnumerable<Container?> containers)
    {
        foreach (var container in containers.OfType<Container>().Where(c => c.Exit is not null))
        {
            _started.Add(container.Name);
            if (container.IsCompleted)
                _completed.Add(container.Name);
        }
    }

    public void Forget(string id)
    {
        lock (_lock)
        {
            Remember([_containers.GetValueOrDefault(id)]);
            _containers.Remove(id);
        }
    }

    public Container Get(string id)
    {
        lock (_lock)
        {
            return _containers.GetValueOrDefault(id)
                ?? throw Failed("find container", id, FailureCode.ContainerNotFound, "the pod has no such container");
        }
    }

    /// <summary>True for what may name a container, an executed process or a pod: it becomes part of paths.</summary>
    public static bool IsIdentifier(string id) => IdentifierPattern().IsMatch(id);

    private static AgentException Failed(string step, string id, string code, string reason) =>
        new(code, step, id.Length <= 64 ? id : $"{id.AsSpan(0, 64)}…", reason);

    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9_.-]{0,75}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IdentifierPattern();
}
