using Kist.Pods.Agent;
using Kist.Pods.Machines;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods;

/// <summary>A pod whose agent has answered. Disposing it ends the guest at once and leaves nothing behind.</summary>
public sealed class RunningPod : IAsyncDisposable
{
    private readonly VirtualMachine _machine;

    internal RunningPod(VirtualMachine machine, PodAgentClient agent, ITrustDomain? domain, GuestInfo info, Accelerator accelerator, IReadOnlyList<LaunchStep> steps)
    {
        _machine = machine;
        Agent = agent;
        Domain = domain;
        Info = info;
        Accelerator = accelerator;
        LaunchSteps = steps;
    }

    /// <summary>Calls to the guest's agent.</summary>
    public PodAgentClient Agent { get; }

    /// <summary>The guest as the platform measured it; null on a machine without a platform.</summary>
    public ITrustDomain? Domain { get; }

    /// <summary>What the agent said first.</summary>
    public GuestInfo Info { get; }

    /// <summary>What executes the guest.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>How long each step of the launch took.</summary>
    public IReadOnlyList<LaunchStep> LaunchSteps { get; }

    /// <summary>The monitor's process identifier.</summary>
    public int ProcessId => _machine.ProcessId;

    /// <summary>The end of the guest's serial console; the guest may print anything.</summary>
    public string ConsoleText => _machine.Console.ToString();

    /// <summary>Completes when the guest has ended, for whatever reason.</summary>
    public Task Ended => _machine.Exited;

    /// <summary>Asks the agent to end containers and power off; ends the machine if that takes longer.</summary>
    /// <param name="grace">How long containers may take after SIGTERM.</param>
    /// <param name="cancellationToken">Ends the machine without waiting.</param>
    public async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken = default)
    {
        try
        {
            await Agent.ShutdownAsync(grace, cancellationToken).ConfigureAwait(false);
            await _machine.Exited.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GuestLostException or AgentCallException or TimeoutException or OperationCanceledException)
        {
            // It is ended the other way.
        }

        await _machine.QuitAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _machine.DisposeAsync().ConfigureAwait(false);
        await Agent.DisposeAsync().ConfigureAwait(false);
    }
}
